/**
 * `serve` on embedded PostgreSQL, killed with -9 at moments that nobody chose. `KILLS=30` goes on for longer,
 * `KILLS_SEED=…` repeats a run's moments.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary, folderFor, killApps, type Service, startApp, startServe } from "../harness/binary.ts";
import { createClient, createTarget } from "../harness/client.ts";
import { createRandom } from "../harness/random.ts";
import { startReceiver, until } from "../harness/receiver.ts";

const kills = Number(process.env.KILLS ?? 4);
const seed = Number(process.env.KILLS_SEED ?? Math.floor(Math.random() * 2 ** 31));

setDefaultTimeout(60_000 + kills * 20_000);
beforeAll(binary);
afterAll(killApps);

async function kill(service: { kill(signal: "SIGKILL"): void; exited: Promise<number> }): Promise<void> {
  service.kill("SIGKILL");
  await service.exited;
}

test(`killed with -9 from its first start on, it is ready again each time and loses nothing (KILLS_SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const env = { DATA_DIR: folderFor(), RETRY_SCHEDULE: Array(10).fill("0.5").join(",") };
  const receiver = startReceiver();
  // Unpacking, the making of the cluster, PostgreSQL's first start, migrations.
  for (let n = 0; n < Math.ceil(kills / 2); n += 1) {
    const started = await startApp({ args: ["serve"], env: { ...env, PORT: "0" } });
    const afterMs = random.between(100, 3_000);
    await Bun.sleep(afterMs);
    await kill(started);
    console.log(
      `killed ${Math.round(afterMs)} ms after its start: ${started.lines().at(-1)?.msg ?? "it had said nothing"}`,
    );
  }

  const accepted = new Set<string>();
  let serve = await startServe({ env });
  const { endpointId } = await createTarget(createClient(serve.url), receiver);
  for (let n = 0; n < Math.floor(kills / 2); n += 1) {
    const load = startLoad(serve, accepted);
    const loadMs = random.between(100, 1_500);
    await until(() => load.count() > 0, 20_000);
    await Bun.sleep(loadMs);
    await kill(serve);
    await load.end();
    console.log(`killed after ${Math.round(loadMs)} ms under load: ${load.count()} accepted`);
    serve = await startServe({ env });
  }
  const client = createClient(serve.url);
  expect(await client.get(`/app/acme/endpoint/${endpointId}`)).toMatchObject({ url: receiver.url });
  const missing = () => [...accepted].filter((id) => !receiver.delivered.has(id));
  await until(
    () => missing().length === 0,
    30_000,
    () => `${missing().length} of ${accepted.size} are missing`,
  );
  serve.kill();
  expect(await serve.exited).toBe(0);
  await receiver.stop();
});

/** Clients that send as fast as they are answered, until one answer doesn't come. */
function startLoad({ url }: Service, accepted: Set<string>) {
  let count = 0;
  const { post } = createClient(url);
  const sender = async () => {
    for (;;) {
      const sent = await post<{ id: string }>("/app/acme/msg", { eventType: "a", payload: {} }).catch(
        () => null,
      );
      if (sent === null) return;
      accepted.add(sent.id);
      count += 1;
    }
  };
  const senders = Promise.all(Array.from({ length: 8 }, sender));
  return { count: () => count, end: () => senders };
}
