/** Fills tables by SQL, faster than any API would: a backlog and a history. */
import type { Sql } from "postgres";
import { connect } from "../../src/database.ts";
import { newId } from "../../src/lib/ids.ts";
import { createRepos } from "../../src/repos/index.ts";
import { ensurePartitions } from "../../src/services/partitions.ts";
import { payloadText } from "./payload.ts";
import { orgId } from "./programs.ts";

const dayMs = 86_400_000;
const historyDays = 80;
const chunkRows = 100_000;

/** The part of an id that says when, with some of its random part: unlike what anything else makes. */
const idHead = (prefix: "msg_" | "atmpt_", ms: number): string =>
  newId(prefix, ms).slice(0, prefix.length + 9);

type Owner = { appId: string; endpointId: string };

/** So many due deliveries of one endpoint, each of a message of its own. */
export async function fillBacklog(sql: Sql, { appId, endpointId }: Owner, count: number): Promise<void> {
  const head = idHead("msg_", Date.now());
  const payload = payloadText(0, 0, 0);
  await inChunks(count, async (from, to) => {
    await sql`
      with stored as (
        insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
        select ${head} || lpad(n::text, 18, '0'), ${orgId}, ${appId}, 'invoice.paid', ${payload},
               now() + interval '90 days'
        from generate_series(${from}::int, ${to}::int) n
        returning id
      )
      insert into deliveries (message_id, endpoint_id, org_id, app_id, due_at)
      select id, ${endpointId}, ${orgId}, ${appId}, now() from stored`;
  });
  await settle(sql);
}

/** So many messages with an attempt each, over 80 days: half of them this endpoint's, the rest of a thousand others. */
export async function fillHistory(sql: Sql, databaseUrl: string, owner: Owner, count: number): Promise<void> {
  const now = Date.now();
  const client = connect(databaseUrl, { max: 1, prepare: false, applicationName: "posthorn bench" });
  await ensurePartitions(createRepos(client), {
    from: new Date(now - (historyDays + 7) * dayMs),
    to: new Date(now),
  });
  await client.end();

  const days = Array.from({ length: historyDays }, (_, day) => now - (historyDays - day) * dayMs);
  const messageHeads = days.map((ms) => idHead("msg_", ms));
  const attemptHeads = days.map((ms) => idHead("atmpt_", ms));
  const payload = payloadText(0, 0, 0);
  await inChunks(count, async (from, to) => {
    await sql`
      with one as materialized (
        select n, 1 + ((n - 1)::bigint * ${historyDays} / ${count})::int as day,
               case when n % 2 = 0 then ${owner.appId} else 'app_' || lpad((n % 1000)::text, 27, '0') end as app_id,
               case when n % 2 = 0 then ${owner.endpointId} else 'ep_' || lpad((n % 1000)::text, 27, '0') end as endpoint_id
        from generate_series(${from}::int, ${to}::int) n
      ),
      stored as (
        insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
        select (${messageHeads}::text[])[day] || lpad(n::text, 18, '0'), ${orgId}, app_id, 'invoice.paid', ${payload},
               now() + interval '90 days'
        from one order by n
      )
      insert into attempts (id, org_id, app_id, message_id, endpoint_id, event_type, trigger, attempt, status,
                            response_status_code, response, duration_ms, url)
      select (${attemptHeads}::text[])[day] || lpad(n::text, 18, '0'), ${orgId}, app_id,
             (${messageHeads}::text[])[day] || lpad(n::text, 18, '0'), endpoint_id, 'invoice.paid', 0, 1, 0,
             200, 'ok', 5, 'http://127.0.0.1/'
      from one order by n`;
  });
  await settle(sql);
}

async function inChunks(count: number, fill: (from: number, to: number) => Promise<void>): Promise<void> {
  for (let from = 1; from <= count; from += chunkRows)
    await fill(from, Math.min(count, from + chunkRows - 1));
}

/** So that what is measured next is not the filling's own aftermath. */
async function settle(sql: Sql): Promise<void> {
  await sql.unsafe("vacuum analyze");
  await sql.unsafe("checkpoint");
}
