-- Tokens that read one polled endpoint. The token itself is signed anew out of its row, and stored nowhere.
create table poller_tokens (
  id          text collate "C" primary key,
  org_id      text collate "C" not null,
  app_id      text collate "C" not null references applications (id),
  endpoint_id text collate "C" not null,
  expires_at  timestamptz(3),
  created_at  timestamptz(3) not null default now(),
  updated_at  timestamptz(3) not null default now()
);
create index poller_tokens_endpoint on poller_tokens (endpoint_id, id);
create index poller_tokens_updated on poller_tokens (updated_at);
