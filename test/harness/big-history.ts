import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Sql } from "postgres";
import { connect } from "../../src/database.ts";
import { newId } from "../../src/lib/ids.ts";
import { createRepos } from "../../src/repos/index.ts";
import { countAttempts } from "../../src/services/attempt-counts.ts";
import { ensurePartitions } from "../../src/services/partitions.ts";
import type { TestDatabase } from "./postgres.ts";

const dayMs = 86_400_000;
const days = 80;
const org = "org_a";
const payload = JSON.stringify({ user: "ada", text: "x".repeat(180) });

export type History = {
  /** For each parameter of a path, one that has much. */
  ids: Record<string, string>;
  middle: Date;
  /** An id from the middle of what a list shows; null for a list that is too short for one. */
  cursorOf(path: string): string | null;
};

/**
 * So many messages over 80 days, three attempts each. Half of them are one application's, with ten endpoints; the other
 * half is spread over a hundredth as many others. One in a thousand is of a rare type and on a rare channel.
 */
export async function fillHistory(database: TestDatabase, messagesCount: number): Promise<History> {
  const now = Date.now();
  const client = connect(database.url, { max: 2, prepare: false, applicationName: "posthorn bench" });
  const repos = createRepos(client);
  await ensurePartitions(repos, {
    from: new Date(now - (days + 7) * dayMs),
    to: new Date(now + 7 * dayMs),
  });
  const { sql } = database;

  const apps = Array.from({ length: Math.max(10, messagesCount / 100) }, () => newId("app_"));
  const big = apps[apps.length >> 1] as string;
  const endpoints = apps.map((app) => Array.from({ length: app === big ? 10 : 1 }, () => newId("ep_")));
  await copy(
    sql,
    "applications (id, org_id, name, uid)",
    apps.map((id, n) => [id, org, "bench", `uid-${n}`]),
  );
  const sink = newId("ep_", now - days * dayMs);
  const endpointRows = apps.flatMap((app, n) =>
    (endpoints[n] ?? []).map((id) => [id, org, app, "https://receiver.example/"]),
  );
  await copy(sql, "endpoints (id, org_id, app_id, url)", endpointRows);

  await copy(sql, "endpoints (id, org_id, app_id, url, polled)", [[sink, org, big, "poll:bench", "true"]]);

  const secrets = endpointRows.map(([id = ""]) => [org, id, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
  await copy(sql, "endpoint_secrets (org_id, endpoint_id, secret)", secrets);

  const half = (messagesCount >> 1) & ~1;
  const timeOf = (n: number) => now - days * dayMs + (n / messagesCount) * days * dayMs;
  const appOf = (n: number) => (n % 2 === 0 ? apps.length >> 1 : (n >> 1) % apps.length);
  const kept: Record<string, string> = {};
  const messageIds: string[] = [];
  function* messages(): Generator<(string | null)[]> {
    for (let n = 0; n < messagesCount; n += 1) {
      const id = newId("msg_", timeOf(n));
      messageIds.push(id);
      const rare = n % 1000 === 0;
      const type = rare ? "rare.event" : `type.${n % 20}`;
      yield [
        id,
        org,
        apps[appOf(n)] ?? "",
        type,
        `event-${n}`,
        rare ? "{rare}" : null,
        payload,
        "2099-01-01",
      ];
    }
  }
  await copy(
    sql,
    "messages (id, org_id, app_id, event_type, event_id, channels, payload, payload_expires_at)",
    messages(),
  );
  function* attempts(): Generator<(string | null)[]> {
    for (let n = 0; n < messagesCount; n += 1) {
      const at = appOf(n);
      const own = endpoints[at] ?? [];
      for (let tried = 0; tried < 3; tried += 1) {
        const id = newId("atmpt_", timeOf(n) + tried);
        const endpoint = own[(n + (tried >> 1)) % own.length] ?? "";
        const failed = tried === 0 && n % 10 === 0;
        if (n === half) Object.assign(kept, { attempt_id: id, endpoint_id: endpoint });
        const rare = n % 1000 === 0;
        yield [
          ...[id, org, apps[at] ?? "", messageIds[n] ?? "", endpoint, rare ? "rare.event" : `type.${n % 20}`],
          ...[rare ? "{rare}" : null, "0", "1", failed ? "2" : "0", failed ? "500" : "200", "ok", "12"],
          "https://receiver.example/",
        ];
      }
    }
  }
  await copy(
    sql,
    "attempts (id, org_id, app_id, message_id, endpoint_id, event_type, channels, trigger, attempt, status, response_status_code, response, duration_ms, url)",
    attempts(),
  );
  await sql.unsafe("analyze");
  const counting = { repos, now: new Date(now), retentionDays: 90, signal: new AbortController().signal };
  while ((await countAttempts(counting)) > 0) {}
  await client.end();
  await sql.unsafe("vacuum analyze");

  const middle = messageIds[half] as string;
  const ids: Record<string, string> = {
    ...kept,
    app_id: big,
    msg_id: middle,
    sink_id: sink,
    consumer_id: "bench",
  };
  const prefixes: [RegExp, string][] = [
    [/\/app$/, big],
    [/\/attempt(\/|$)/, ids.attempt_id ?? ""],
    [/\/msg$/, middle],
  ];
  return {
    ids,
    middle: new Date(now - (days / 2) * dayMs),
    cursorOf: (path) => prefixes.find(([list]) => list.test(path))?.[1] ?? null,
  };
}

async function copy(sql: Sql, columns: string, rows: Iterable<(string | null)[]>): Promise<void> {
  function* chunks() {
    let text = "";
    for (const row of rows) {
      text += `${row.map((value) => value ?? "\\N").join("\t")}\n`;
      if (text.length < 1 << 16) continue;
      yield text;
      text = "";
    }
    yield text;
  }
  await pipeline(Readable.from(chunks()), await sql.unsafe(`copy ${columns} from stdin`).writable());
}
