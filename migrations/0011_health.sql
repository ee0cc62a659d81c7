-- One row, which is written to find out whether anything can be.
create table health_checks (
  one        boolean primary key default true check (one),
  checked_at timestamptz(3) not null
);
