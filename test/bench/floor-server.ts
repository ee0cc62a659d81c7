/**
 * What accepting costs at the very least in this stack, a process of its own: `bun test/bench/floor-server.ts
 * '<FloorOptions>'` prints its port. It reads a message's body, commits the payload and answers 202 with it; there is
 * no routing, no token, no check, no id, no application, no log and no queue.
 */
import { connect } from "../../src/database.ts";
import { createGroupCommit } from "../../src/lib/group-commit.ts";

/** One INSERT for each request, or one for all that have come meanwhile. */
export type FloorOptions = { url: string; commits: "alone" | "shared" };

const separator = "\u001e";
/** PostgreSQL has a hundred places, and 64 are L2's. */
const poolMax = 16;

async function main({ url, commits }: FloorOptions): Promise<number | undefined> {
  const sql = connect(url, { max: poolMax, prepare: true, applicationName: "posthorn bench floor" });
  await sql`create table if not exists bench_floor
            (id bigint generated always as identity primary key, body text not null)`;
  await sql`truncate bench_floor`;
  const group = createGroupCommit<string, null>({
    itemsMax: 256,
    parallel: 1,
    async run(bodies) {
      const all = bodies.join(separator);
      await sql`insert into bench_floor (body) select unnest(string_to_array(${all}, ${separator}))`;
      return bodies.map(() => null);
    },
  });
  const commit = {
    alone: (body: string) => sql`insert into bench_floor (body) values (${body})`,
    shared: (body: string) => group.submit(body),
  }[commits];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { eventType, payload } = (await request.json()) as { eventType: string; payload: unknown };
      await commit(JSON.stringify(payload));
      return Response.json({ eventType, payload }, { status: 202 });
    },
  });
  return server.port;
}

console.log(await main(JSON.parse(process.argv[2] ?? "{}") as FloorOptions));
