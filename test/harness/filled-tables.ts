import { connect } from "../../src/database.ts";
import { idBound, newId } from "../../src/lib/ids.ts";
import { createRepos } from "../../src/repos/index.ts";
import { ensurePartitions } from "../../src/services/partitions.ts";
import type { TestDatabase } from "./postgres.ts";

const dayMs = 86_400_000;
const orgId = "org_a";

/** Enough rows in every table that grows for an index to be worth it, spread over some weeks, and their statistics. */
export async function fillTables(database: TestDatabase) {
  const { sql } = database;
  const client = connect(database.url, { max: 1, prepare: false, applicationName: "posthorn test" });
  const repos = createRepos(client);
  const now = Date.now();
  // Empty partitions are scanned rightly: only those that are filled stay.
  for (const { name } of await repos.partitions.list()) await repos.partitions.drop(name);
  await ensurePartitions(repos, { from: new Date(now - 21 * dayMs), to: new Date(now) });
  await client.end();

  const many = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));
  const apps = many(2_000, () => newId("app_"));
  const endpoints = many(4_000, () => newId("ep_"));
  await sql`insert into applications (id, org_id, uid, name)
            select id, case when n % 10 = 0 then ${orgId} else 'org_' || n end, 'uid' || n, 'a'
            from unnest(${apps}::text[]) with ordinality t(id, n)`;
  await sql`insert into endpoints (id, org_id, app_id, uid, url)
            select id, ${orgId}, (${apps}::text[])[1 + n % 2000], 'uid' || n, 'https://receiver.example/'
            from unnest(${endpoints}::text[]) with ordinality t(id, n)`;
  await sql`insert into endpoint_secrets (org_id, endpoint_id, secret)
            select ${orgId}, id, 'whsec_x' from unnest(${endpoints}::text[]) id`;

  // Ids through the weeks, in order; the first application has a tenth of everything.
  const spread = 20 * dayMs;
  const messages = many(40_000, (n) => newId("msg_", now - spread + (n * spread) / 40_000));
  const attempts = many(80_000, (n) => newId("atmpt_", now - spread + (n * spread) / 80_000));
  await sql`insert into messages (id, org_id, app_id, event_type, channels, payload, payload_expires_at)
            select id, ${orgId}, (${apps}::text[])[case when n % 10 = 0 then 1 else 1 + n % 2000 end], 'a',
                   array['c'], '{"some":"payload"}', now() + (n % 90) * interval '1 day'
            from unnest(${messages}::text[]) with ordinality t(id, n)`;
  await sql`insert into attempts (id, org_id, app_id, message_id, endpoint_id, event_type, trigger, attempt, status,
                                  response_status_code, response, duration_ms, url)
            select id, ${orgId}, ${apps[0] as string}, (${messages}::text[])[(n + 1) / 2],
                   (${endpoints}::text[])[case when n % 10 = 0 then 1 else 1 + n % 4000 end], 'a', 0, 1,
                   case when n % 20 = 0 then 2 else 0 end, 200, 'ok', 5, 'https://receiver.example/'
            from unnest(${attempts}::text[]) with ordinality t(id, n)`;
  await sql`insert into attempt_counts (endpoint_id, id, org_id, succeeded, failed, canceled)
            select endpoint_id, id, org_id, 1, 0, 0 from attempts`;
  await sql`insert into deliveries (message_id, endpoint_id, org_id, app_id, due_at)
            select id, (${endpoints}::text[])[case when n % 10 = 0 then 1 else 1 + n % 4000 end], ${orgId},
                   ${apps[0] as string}, now() + n * interval '1 second'
            from unnest(${messages.slice(0, 20_000)}::text[]) with ordinality t(id, n)`;
  // One endpoint in eight is FIFO, and one of these has a long line.
  const inLine = endpoints.filter((_, n) => n % 8 === 2);
  await sql`update endpoints set fifo = true where id = any(${inLine}::text[])`;
  await sql`insert into turns (endpoint_id, org_id) select id, ${orgId} from unnest(${inLine}::text[]) id`;
  await sql`insert into deliveries (message_id, endpoint_id, org_id, app_id, due_at, priority, position)
            select id, (${inLine}::text[])[case when n % 4 = 0 then 1 else 1 + n % 500 end], ${orgId},
                   ${apps[0] as string}, now(), 3, nextval('delivery_positions')
            from unnest(${messages.slice(20_000)}::text[]) with ordinality t(id, n)`;
  await sql`insert into message_event_ids (app_id, event_id, message_id)
            select (${apps}::text[])[1 + n % 2000], 'event' || n, id
            from unnest(${messages}::text[]) with ordinality t(id, n)`;
  await sql`insert into idempotency_keys (key, body_hash, org_id, status, created_at)
            select gen_random_uuid(), gen_random_uuid(), ${orgId}, 200, now() - n * interval '1 second'
            from generate_series(1, 40000) n`;
  await sql`insert into api_keys (id, org_id, name, scopes, token_hash, hint, changed_at)
            select 'key_' || n, ${orgId}, 'n', array['read'], md5(n::text), 'x', now() - n * interval '1 minute'
            from generate_series(1, 20000) n`;
  await sql`insert into revoked_tokens (token_hash, org_id, revoked_at, expires_at)
            select md5(n::text), ${orgId}, now() - n * interval '1 minute', now() + n * interval '1 minute'
            from generate_series(1, 20000) n`;
  await sql`insert into session_ends (org_id, app_id, session_id, issued_until, ends_at, created_at)
            select ${orgId}, (${apps}::text[])[1 + n % 2000], 's' || n, now(), now(), now() - n * interval '1 minute'
            from generate_series(1, 20000) n`;
  await sql.unsafe("vacuum analyze");
  return {
    orgId,
    appId: apps[0] as string,
    appUid: "uid1",
    otherApp: { id: apps[10] as string },
    endpointId: endpoints[0] as string,
    fifoEndpointId: inLine[0] as string,
    messageId: messages[20_000] as string,
    lateMessageId: messages[39_000] as string,
    attemptId: attempts[40_000] as string,
    lateAttemptId: attempts[79_000] as string,
    from: { message: idBound("msg_", now - 90 * dayMs), attempt: idBound("atmpt_", now - 90 * dayMs) },
    to: { message: "msg_~", attempt: "atmpt_~" },
  };
}
export type Filled = Awaited<ReturnType<typeof fillTables>>;
