-- Ids sort by time only byte by byte, whatever locale the database was made with: hence COLLATE "C".

create table applications (
  id            text collate "C" primary key,
  org_id        text collate "C" not null,
  uid           text collate "C",
  name          text not null,
  throttle_rate integer,
  metadata      jsonb not null default '{}',
  created_at    timestamptz(3) not null default now(),
  updated_at    timestamptz(3) not null default now(),
  deleted_at    timestamptz(3)
);
create index applications_org_id on applications (org_id, id) where deleted_at is null;
create unique index applications_org_uid on applications (org_id, uid) where deleted_at is null;

create table event_types (
  id            text collate "C" primary key,
  org_id        text collate "C" not null,
  name          text collate "C" not null,
  description   text not null,
  archived      boolean not null default false,
  deprecated    boolean not null default false,
  -- json, not jsonb: a schema comes back with its keys in the order it was given.
  schemas       json,
  feature_flags text[],
  group_name    text,
  created_at    timestamptz(3) not null default now(),
  updated_at    timestamptz(3) not null default now()
);
create unique index event_types_org_name on event_types (org_id, name);

create table endpoints (
  id            text collate "C" primary key,
  org_id        text collate "C" not null,
  app_id        text collate "C" not null references applications (id),
  uid           text collate "C",
  url           text not null,
  description   text not null default '',
  disabled      boolean not null default false,
  event_types   text[],
  channels      text[],
  throttle_rate integer,
  version       integer not null default 1,
  metadata      jsonb not null default '{}',
  headers       jsonb not null default '{}',
  -- Grows with every change that a worker must see (url, headers, secrets, disabled): the key of its cache.
  revision      bigint not null default 1,
  created_at    timestamptz(3) not null default now(),
  updated_at    timestamptz(3) not null default now(),
  deleted_at    timestamptz(3)
);
create index endpoints_app_id on endpoints (app_id, id) where deleted_at is null;
create unique index endpoints_app_uid on endpoints (app_id, uid) where deleted_at is null;

-- The live one has no expires_at; rotated ones sign until theirs has passed.
create table endpoint_secrets (
  id            bigint generated always as identity primary key,
  org_id        text collate "C" not null,
  endpoint_id   text collate "C" not null references endpoints (id),
  -- As handed out (whsec_…, whsk_…), or enc:v1:<key id>:<base64> under ENCRYPTION_KEY.
  secret        text not null,
  created_at    timestamptz(3) not null default now(),
  expires_at    timestamptz(3)
);
create index endpoint_secrets_endpoint on endpoint_secrets (endpoint_id, id);
create index endpoint_secrets_expiry on endpoint_secrets (expires_at) where expires_at is not null;

-- An endpoint has a row here only while it fails: a success deletes it.
create table endpoint_health (
  endpoint_id          text collate "C" primary key,
  org_id               text collate "C" not null,
  failing_since        timestamptz(3) not null,
  consecutive_failures integer not null,
  -- The breaker. Set once it has opened: until then nothing goes out, and from then on a single probe.
  open_until           timestamptz(3),
  -- How often it opened since the last success: each time it stays open longer.
  trips                integer not null default 0
);

-- throttleRate over all workers together: when the next delivery of an endpoint or an application may start.
create table throttles (
  id            text collate "C" primary key,
  next_at       timestamptz not null
);

-- Partitions are made ahead by the schedule `partitions`, one a week; their bounds are ids.
create table messages (
  id            text collate "C" not null primary key,
  org_id        text collate "C" not null,
  app_id        text collate "C" not null,
  event_type    text collate "C" not null,
  event_id      text collate "C",
  channels      text[],
  -- The bytes that were sent, as text: json would keep them too, but checks again what the API has checked.
  -- Null once expunged or past its retention.
  payload       text,
  -- Set for a raw payload, which need not be JSON; else it is application/json.
  content_type  text,
  payload_expires_at timestamptz(3) not null
) partition by range (id);
create index messages_app_id on messages (app_id, id);
-- What is still to be expunged. Times that grow with the ids: an insert adds to its last page.
create index messages_payload_expiry on messages (payload_expires_at) where payload is not null;

-- eventId must be unique in an application, which no index over partitions of another key can promise.
create table message_event_ids (
  app_id        text collate "C" not null,
  event_id      text collate "C" not null,
  message_id    text collate "C" not null,
  primary key (app_id, event_id)
);
create index message_event_ids_message on message_event_ids (message_id);

-- The queue. A row is a delivery that is not finished; it leaves when it is. A lease moves due_at past the time that
-- the holder needs and names the holder: when it runs out, the row is simply due again.
create table deliveries (
  message_id    text collate "C" not null,
  endpoint_id   text collate "C" not null,
  -- 0 scheduled (with retries), 1 manual (a single attempt): a resend stands beside a pending retry.
  trigger       smallint not null default 0,
  org_id        text collate "C" not null,
  app_id        text collate "C" not null,
  -- 0 fresh, 1 retry, 2 bulk (recover, replay, backfill): the smaller overtakes the larger.
  priority      smallint not null default 0,
  attempt       smallint not null default 0,
  due_at        timestamptz(3) not null,
  lease         uuid,
  primary key (message_id, endpoint_id, trigger)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000,
        autovacuum_vacuum_cost_delay = 0);
create index deliveries_claim on deliveries (endpoint_id, priority, due_at);

create table attempts (
  id            text collate "C" not null,
  org_id        text collate "C" not null,
  app_id        text collate "C" not null,
  message_id    text collate "C" not null,
  endpoint_id   text collate "C" not null,
  event_type    text collate "C" not null,
  channels      text[],
  trigger       smallint not null,
  attempt       smallint not null,
  -- 0 success, 2 fail
  status        smallint not null,
  -- 0 when no response came
  response_status_code smallint not null,
  -- What the receiver said, as text (base64 when it is not UTF-8), or why there was no response. Null once expunged.
  response      text,
  duration_ms   integer not null,
  url           text not null,
  -- When the next one is planned; null after a success and after the last.
  next_at       timestamptz(3),
  primary key (message_id, id)
) partition by range (id);
create index attempts_endpoint on attempts (endpoint_id, id);
-- Failures are rare among the attempts of most endpoints, and what people look for. Successes pay nothing for it.
create index attempts_failed on attempts (endpoint_id, id) where status = 2;

create table idempotency_keys (
  -- The first 128 bits of SHA-256 over tenant, method, path and key.
  key           uuid primary key,
  body_hash     uuid not null,
  org_id        text collate "C" not null,
  created_at    timestamptz(3) not null default now(),
  -- A message is its own answer; other answers are kept as they went out. Neither: still running, until locked_until.
  message_id    text collate "C",
  status        smallint,
  response      text,
  locked_until  timestamptz(3)
);
create index idempotency_keys_created on idempotency_keys (created_at);

create table background_tasks (
  id            text collate "C" primary key,
  org_id        text collate "C" not null,
  app_id        text collate "C" not null,
  kind          text not null,
  status        text not null,
  input         jsonb not null,
  -- The last message that was looked at, and what came of them all so far: where an interrupted task goes on.
  cursor        text collate "C",
  scanned       bigint not null default 0,
  queued        bigint not null default 0,
  error         text,
  lease         uuid,
  leased_until  timestamptz(3),
  created_at    timestamptz(3) not null default now(),
  updated_at    timestamptz(3) not null default now()
);
create index background_tasks_org on background_tasks (org_id, id);
create index background_tasks_open on background_tasks (id) where status = 'running';

-- A schedule's tick runs once over all workers: whoever moves last_run_at forward runs it.
create table schedules (
  name          text primary key,
  last_run_at   timestamptz(3) not null
);

create table audit_log (
  id            bigint generated always as identity primary key,
  at            timestamptz(3) not null default now(),
  org_id        text collate "C",
  actor         text not null,
  action        text not null,
  target        text,
  detail        jsonb
);
create index audit_log_org on audit_log (org_id, id);

-- The workers that live: the leases of one that has not been seen for a while are freed by the others.
create table workers (
  id            text primary key,
  seen_at       timestamptz(3) not null default now()
);
