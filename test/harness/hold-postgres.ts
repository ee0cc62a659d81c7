/**
 * `bun hold-postgres.ts <dataDir> <serve|share> [durable]`: uses embedded PostgreSQL until SIGTERM, as a process
 * of its own. Prints one line of JSON when it is ready.
 */
import { startEmbeddedPostgres } from "../../src/lib/embedded-postgres/index.ts";
import { silent } from "./postgres.ts";

const [dataDir = "", owner, durable] = process.argv.slice(2);
const server = await startEmbeddedPostgres({
  dataDir,
  owner: owner === "serve" ? "serve" : "share",
  log: silent,
  durable: durable === "durable",
});
const forever = setInterval(() => {}, 60_000);
process.once("SIGTERM", async () => {
  await server.stop();
  clearInterval(forever);
});
process.stdout.write(`${JSON.stringify(server)}\n`);
