-- Attempts of an endpoint by the hour and by how they ended, counted after the fact: see src/repos/attempt-counts.ts.
-- An hour's id is the smallest that an attempt of it can have. Partitioned as attempts are, and dropped with them.
create table attempt_counts (
  endpoint_id   text collate "C" not null,
  id            text collate "C" not null,
  org_id        text collate "C" not null,
  succeeded     integer not null,
  failed        integer not null,
  canceled      integer not null,
  -- Whoever adds hours up reads the index and nothing else.
  primary key (endpoint_id, id) include (succeeded, failed, canceled)
) partition by range (id);

-- One row.
create table attempts_counted (
  one           boolean primary key default true check (one),
  -- All attempts with a smaller id are counted, but for those past the retention. It is an hour's, or empty before the first.
  before_id     text collate "C" not null,
  -- Grows with every group of attempts that came too late for their hours.
  rewinds       integer not null default 0
);
insert into attempts_counted (before_id) values ('');
