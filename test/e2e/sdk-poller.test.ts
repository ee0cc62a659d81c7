import { afterAll, beforeAll, expect, test } from "bun:test";
import { Svix } from "svix";
import { type Api, orgToken, startApi } from "../harness/api.ts";

// Two APIs on one database, each with an intake of its own, as two processes have.
const apis: Api[] = [];
beforeAll(async () => {
  const first = await startApi();
  apis.push(first, await startApi({ database: first.database }));
});
afterAll(async () => {
  for (const api of apis.toReversed()) await api.stop();
});

test("a consumer that reads while 1,000 messages come in gets each of them once", async () => {
  const token = await orgToken("org_a");
  const clients = apis.map(({ url }) => new Svix(token, { serverUrl: url }));
  const [svix] = clients as [Svix, Svix];
  await svix.application.create({ name: "Polled", uid: "polled" });
  await svix.endpoint.create("polled", { url: "poll:sink", uid: "sink" });
  const sent: string[] = [];
  let sending = 8;
  const senders = Array.from({ length: sending }, async (_, n) => {
    const client = clients[n % clients.length] as Svix;
    for (let each = 0; each < 125; each += 1) {
      sent.push((await client.message.create("polled", { eventType: "a.b", payload: { n, each } })).id);
    }
    sending -= 1;
  });
  const read: string[] = [];
  let iterator: string | null = null;
  for (let last = false; !last; ) {
    last = sending === 0;
    for (let done = false; !done; ) {
      const page = await svix.message.poller.consumerPoll("polled", "sink", "one", { iterator, limit: 100 });
      read.push(...page.data.map(({ id }) => id));
      ({ iterator, done } = page);
    }
  }
  await Promise.all(senders);
  expect(read).toHaveLength(1_000);
  expect(read.toSorted()).toEqual(sent.toSorted());
}, 60_000);
