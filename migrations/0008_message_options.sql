-- What a message can be found by, and when it is to go out; null for at once.
alter table messages add column tags text[], add column deliver_at timestamptz(3);
-- A delivery that was canceled leaves an attempt too, of status 4.
alter table attempts add column tags text[];

-- What went wrong or was canceled is rare among the attempts of most endpoints, and what people look for.
drop index attempts_failed;
create index attempts_unsuccessful on attempts (endpoint_id, status, id) where status <> 0;
