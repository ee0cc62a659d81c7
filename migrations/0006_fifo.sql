-- FIFO endpoints: one delivery at a time, in the order in which the messages were accepted.
alter table endpoints add column fifo boolean not null default false;

-- Where a delivery stands in its endpoint's line; null outside of one. Those that stand in line have a priority of
-- their own, 3, so that whoever goes by due_at does not meet them.
alter table deliveries add column position bigint;
create index deliveries_position on deliveries (endpoint_id, position) where position is not null;

-- A statement that queues takes one number, and adds to it each row's place within the statement. No process takes
-- numbers ahead: what is queued after another's commit stands behind it, whatever the clocks say.
create sequence delivery_positions increment by 10000;

-- Which worker may deliver to a FIFO endpoint, and until when. A row for every endpoint that ever was one.
create table turns (
  endpoint_id   text collate "C" primary key,
  org_id        text collate "C" not null,
  lease         uuid,
  held_until    timestamptz not null default now()
) with (fillfactor = 70);
