/**
 * L2 and L3, a process of its own: `bun test/bench/limit-inserts.ts '<InsertsOptions>'` prints how many INSERTs of so
 * many rows PostgreSQL commits a second, one after another on each connection. The table has a key and nothing else.
 */
import { connect } from "../../src/database.ts";
import { cpuShare, nowMs } from "./clock.ts";
import { payloadText } from "./payload.ts";

export type InsertsOptions = { url: string; connections: number; rows: number; seconds: number };
export type InsertsResult = { commitsPerSecond: number; rowsPerSecond: number; cpu: number };

const warmMs = 500;

async function main({ url, connections, rows, seconds }: InsertsOptions): Promise<InsertsResult> {
  const sql = connect(url, { max: connections, prepare: true, applicationName: "posthorn bench limit" });
  await sql`create table if not exists bench_limit
            (id bigint generated always as identity primary key, body text not null)`;
  await sql`truncate bench_limit`;
  const texts = Array.from({ length: rows }, (_, n) => payloadText(0, 0, n));
  const insert =
    rows === 1
      ? () => sql`insert into bench_limit (body) values (${texts[0] as string})`
      : () => sql`insert into bench_limit (body) select unnest(${texts}::text[])`;
  await Promise.all(Array.from({ length: connections }, insert));

  const countsFromMs = nowMs() + warmMs;
  const endsMs = countsFromMs + seconds * 1_000;
  const cpu = cpuShare();
  let counted = 0;
  const repeat = async () => {
    for (let now = nowMs(); now < endsMs; now = nowMs()) {
      await insert();
      if (now >= countsFromMs) counted += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, repeat));
  const perSecond = (counted * 1_000) / (nowMs() - countsFromMs);
  const share = cpu();
  await sql`truncate bench_limit`;
  await sql.end({ timeout: 1 });
  return { commitsPerSecond: perSecond, rowsPerSecond: perSecond * rows, cpu: share };
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2] ?? "{}") as InsertsOptions)));
process.exit(0);
