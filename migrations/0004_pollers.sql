-- Endpoints that are read instead of called. Nothing is queued for them: they read their application's messages.
alter table endpoints add column polled boolean not null default false;

-- Set with the first endpoint of an application that is polled, and left so: only such applications' messages pay
-- for what makes reading safe.
alter table applications add column polled boolean not null default false;

-- How far readers have read, as the time in the ids (Unix milliseconds). It holds at once and for everybody, whatever
-- transaction it is moved or read in, and no message that is accepted later gets an id that is older.
create sequence poll_fence as bigint minvalue 0 start 0 cache 1;

create table poll_consumers (
  endpoint_id   text collate "C" not null references endpoints (id),
  consumer_id   text collate "C" not null,
  org_id        text collate "C" not null,
  -- Messages up to this id are done with.
  position      text collate "C" not null,
  -- Tells the iterators of before a seek from those after it.
  seeks         integer not null default 0,
  updated_at    timestamptz(3) not null default now(),
  primary key (endpoint_id, consumer_id)
);
