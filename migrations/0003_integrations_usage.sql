-- Keys of integrations are tokens of their application that name the integration and the generation of its key.
create table integrations (
  id             text collate "C" primary key,
  org_id         text collate "C" not null,
  app_id         text collate "C" not null references applications (id),
  name           text not null,
  feature_flags  text[],
  key_generation integer not null default 1,
  key_issued_at  timestamptz(3) not null default now(),
  created_at     timestamptz(3) not null default now(),
  updated_at     timestamptz(3) not null default now(),
  deleted_at     timestamptz(3)
);
create index integrations_app_id on integrations (app_id, id) where deleted_at is null;
create index integrations_updated on integrations (updated_at);

-- What a task has found out so far: for those that count.
alter table background_tasks add column output jsonb;
-- Usage counts what went to endpoints that are deleted now, too.
create index endpoints_app_any on endpoints (app_id);
