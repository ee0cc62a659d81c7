-- What an endpoint wants of a payload: the expression as it was given, and as PostgreSQL evaluates it.
alter table endpoints add column filter json, add column filter_path jsonpath;

-- A payload as a filter looks at it; null when it can't be looked at. It never raises, since a single payload would take
-- the whole statement with it. What goes out raw may be anything, nested any deep. jsonb has no word for NUL and for half
-- a surrogate pair: in a payload that holds one, every such escape counts as U+FFFD.
create function payload_document(payload text, content_type text) returns jsonb language sql stable as $$
  select case
    when content_type is not null then null
    when pg_input_is_valid(payload, 'jsonb') then payload::jsonb
    when pg_input_is_valid(regexp_replace(payload, '(?<!\\)((\\\\)*)\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1\\ufffd', 'g'), 'jsonb')
      then regexp_replace(payload, '(?<!\\)((\\\\)*)\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1\\ufffd', 'g')::jsonb
  end
$$;
