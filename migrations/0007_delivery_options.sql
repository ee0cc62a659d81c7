-- Null: the event type's schedule, or else the server's; and the server's timeout.
alter table endpoints
  add column delivery_timeout_ms integer,
  add column retry_schedule double precision[];
alter table event_types add column retry_schedule double precision[];
-- Few event types have one, and workers ask for those.
create index event_types_retry_schedule on event_types (org_id) where retry_schedule is not null;

-- Of attempts that failed: JSON lists of [name, value], the value null when it is known to be a credential.
alter table attempts
  add column sent_headers text,
  add column response_headers text;
