import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Svix } from "svix";
import { Svix as Svix1 } from "svix-1";
import {
  binary,
  isRoot,
  killApps,
  orgToken,
  type Service,
  startServe,
  usedDataDir,
} from "../harness/binary.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

setDefaultTimeout(120_000);
beforeAll(binary);
afterAll(killApps);

const messagesCount = 1_000;
const sendersCount = 20;
/** Quick, so that what a restart interrupted comes again within the test. */
const env = { RETRY_SCHEDULE: "0.2,0.5,1,2,5" };

type Sdk =
  | Pick<Svix, "application" | "endpoint" | "message">
  | Pick<Svix1, "application" | "endpoint" | "message">;

const sdks: { name: string; connect(url: string): Sdk }[] = [
  { name: "svix 2", connect: (serverUrl) => new Svix(orgToken, { serverUrl }) },
  { name: "svix 1", connect: (serverUrl) => new Svix1(orgToken, { serverUrl }) },
];

async function prepare(sdk: Sdk, receiver: Receiver): Promise<string> {
  const app = await sdk.application.create({ name: "Acme" });
  const endpoint = await sdk.endpoint.create(app.id, { url: receiver.url });
  receiver.verifyWith((await sdk.endpoint.getSecret(app.id, endpoint.id)).key);
  return app.id;
}

/** Sends them all, each again until it is accepted. @returns the ids that were accepted */
async function sendAll(sdk: Sdk, appId: string, accepted: Set<string>): Promise<void> {
  let next = 0;
  const sender = async () => {
    while (next < messagesCount) {
      const number = next++;
      for (const deadline = Date.now() + 30_000; ; ) {
        try {
          const message = await sdk.message.create(appId, {
            eventType: "invoice.paid",
            payload: { number, text: "Grüße, 世界" },
          });
          accepted.add(message.id);
          break;
        } catch (error) {
          if (Date.now() > deadline) throw error;
          await Bun.sleep(50);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: sendersCount }, sender));
}

async function expectAll(receiver: Receiver, accepted: Set<string>): Promise<void> {
  const missing = () => [...accepted].filter((id) => !receiver.delivered.has(id));
  await until(
    () => missing().length === 0,
    30_000,
    () => `${missing().length} of ${accepted.size} messages missing, such as ${missing()[0]}`,
  );
  expect(receiver.refused).toBe(0);
}

describe.each(sdks)("the unmodified SDK of $name", ({ name, connect }) => {
  test("sends 1,000 messages, and standardwebhooks verifies each of them once", async () => {
    const receiver = startReceiver();
    const serve = await startServe({ env: { ...env, DATA_DIR: await usedDataDir() } });
    const sdk = connect(serve.url);
    const appId = await prepare(sdk, receiver);
    const accepted = new Set<string>();
    await sendAll(sdk, appId, accepted);
    await expectAll(receiver, accepted);
    expect(accepted.size).toBe(messagesCount);
    expect(receiver.received.length).toBe(messagesCount);
    serve.kill();
    expect(await serve.exited).toBe(0);
    await receiver.stop();
  });

  test("loses nothing that was accepted when serve is killed with -9 three times meanwhile", async () => {
    const receiver = startReceiver();
    // Whoever runs it: once as the user that the tests run as, once as an ordinary one.
    const unprivileged = isRoot && name === "svix 1";
    const dataDir = await usedDataDir({ unprivileged });
    const again = (port: number) =>
      startServe({ unprivileged, env: { ...env, DATA_DIR: dataDir, PORT: String(port) } });
    let serve: Service = await again(0);
    const sdk = connect(serve.url);
    const appId = await prepare(sdk, receiver);
    const accepted = new Set<string>();
    const sending = sendAll(sdk, appId, accepted);
    let kills = 0;
    for (const share of [0.2, 0.5, 0.8]) {
      await until(() => accepted.size >= share * messagesCount, 60_000);
      serve.kill("SIGKILL");
      await serve.exited;
      kills += 1;
      serve = await again(serve.port);
    }
    await sending;
    await expectAll(receiver, accepted);
    expect(kills).toBe(3);
    expect(accepted.size).toBe(messagesCount);
    const duplicates = receiver.received.length - receiver.delivered.size;
    console.log(`${name}: 3 kills, ${accepted.size} accepted, ${duplicates} delivered more than once`);
    serve.kill();
    expect(await serve.exited).toBe(0);
    await receiver.stop();
  });
});
