import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary, killApps, startServe, startWorker } from "../harness/binary.ts";
import { createClient } from "../harness/client.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

setDefaultTimeout(120_000);

let database: TestDatabase | null = null;
const receivers: Receiver[] = [];
beforeAll(binary);
afterAll(async () => {
  killApps();
  await Promise.all(receivers.map((one) => one.stop()));
  await database?.drop();
});

/** A FIFO endpoint that takes 30 ms a message, and the way to put so many more into its line. */
async function startLine(url: string, uid: string) {
  const receiver = startReceiver();
  receivers.push(receiver);
  receiver.answer = () => Bun.sleep(30).then(() => ({ status: 204 }));
  const client = createClient(url);
  await client.post("/app", { name: uid, uid });
  await client.post(`/app/${uid}/endpoint`, { url: receiver.url, fifo: true });
  const accepted: string[] = [];
  return {
    receiver,
    accepted,
    async send(count: number) {
      for (let n = 0; n < count; n += 1) {
        const body = { eventType: "invoice.paid", payload: { n } };
        accepted.push((await client.post<{ id: string }>(`/app/${uid}/msg`, body)).id);
      }
    },
    /** All that was received, but for what came again right after itself. */
    order: () => receiver.received.map(({ id }) => id).filter((id, n, all) => id !== all[n - 1]),
  };
}

test("FIFO: one worker killed with -9, one stopped past its lease and woken, one told to stop: the order holds, and nothing is skipped", async () => {
  database = await createTestDatabase();
  const env = { DATABASE_URL: database.url, RETRY_SCHEDULE: "0.2,1,2" };
  const [serve, sleeper] = await Promise.all([startServe({ env }), startWorker({ env })]);
  const [left, lost] = [await startLine(serve.url, "left"), await startLine(serve.url, "lost")];
  await left.send(250);
  await left.receiver.waitFor(10);
  sleeper.kill("SIGSTOP");

  // Nobody else is awake, so the turn at the other line is his.
  const doomed = await startWorker({ env });
  await lost.send(200);
  await lost.receiver.waitFor(10);
  doomed.kill("SIGKILL");
  await doomed.exited;
  const lostAt = lost.receiver.received.length;

  const heir = await startWorker({ env });
  await heir.logged("took over from workers that died", 40_000);
  await left.receiver.waitFor(left.receiver.received.length + 20, 40_000);
  // In the middle of a line that is another's now.
  sleeper.kill("SIGCONT");
  await left.receiver.waitFor(left.receiver.received.length + 20);
  await lost.receiver.waitFor(lostAt + 20, 40_000);
  heir.kill();
  expect(await heir.exited).toBe(0);
  for (const { accepted, receiver } of [left, lost]) {
    await until(
      () => accepted.every((id) => receiver.delivered.has(id)),
      40_000,
      () => `${receiver.delivered.size} of ${accepted.length}`,
    );
  }
  for (const { accepted, order } of [left, lost]) expect(order()).toEqual(accepted);
  // The turn was given up: nobody had to find out that its holder was gone.
  const { workerId } = await heir.logged("worker started");
  const takenFrom = sleeper.lines().flatMap(({ workers }) => (workers as string[] | undefined) ?? []);
  expect(takenFrom).not.toContain(workerId as string);

  serve.kill();
  sleeper.kill();
  expect(await Promise.all([serve.exited, sleeper.exited])).toEqual([0, 0]);
});
