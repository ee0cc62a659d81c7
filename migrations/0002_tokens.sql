-- API keys. Of the token only its SHA-256 is kept: whoever reads this table can't use what it lists.
create table api_keys (
  id            text collate "C" primary key,
  org_id        text collate "C" not null,
  name          text not null,
  -- Out of read, write, admin.
  scopes        text[] not null,
  token_hash    text collate "C" not null,
  -- The token's last characters, to tell keys apart by.
  hint          text not null,
  created_at    timestamptz(3) not null default now(),
  expires_at    timestamptz(3),
  revoked_at    timestamptz(3),
  last_used_at  timestamptz(3),
  -- Moves with what a process may have in its cache: scopes, expires_at, revoked_at.
  changed_at    timestamptz(3) not null default now()
);
create unique index api_keys_token_hash on api_keys (token_hash);
create index api_keys_org on api_keys (org_id, id) where revoked_at is null;
create index api_keys_changed on api_keys (changed_at);

-- Single JWTs that are good no longer, though their signature is.
create table revoked_tokens (
  token_hash    text collate "C" primary key,
  org_id        text collate "C" not null,
  revoked_at    timestamptz(3) not null default now(),
  -- The token's own end, after which the row says nothing new. Null when it has none.
  expires_at    timestamptz(3)
);
create index revoked_tokens_revoked on revoked_tokens (revoked_at);
create index revoked_tokens_expiry on revoked_tokens (expires_at) where expires_at is not null;

-- App tokens of an application, or of one session ('' for all of them), that were issued up to a moment end at another.
create table session_ends (
  id            bigint generated always as identity primary key,
  org_id        text collate "C" not null,
  app_id        text collate "C" not null,
  session_id    text collate "C" not null default '',
  issued_until  timestamptz(3) not null,
  ends_at       timestamptz(3) not null,
  created_at    timestamptz(3) not null default now()
);
create index session_ends_app on session_ends (app_id, session_id);
create index session_ends_created on session_ends (created_at);
