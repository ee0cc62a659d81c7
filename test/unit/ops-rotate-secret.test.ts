import { afterAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createSealer, sealedUnder } from "../../src/lib/sealed.ts";
import { startApi } from "../harness/api.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase } from "../harness/postgres.ts";
import { until } from "../harness/receiver.ts";

const database = await createTestDatabase();
const { sql } = database;
afterAll(() => database.drop());

const keys = Array.from({ length: 3 }, () => randomBytes(32));
const [first, second, third] = keys as [Buffer, Buffer, Buffer];
const keyId = (key: Buffer) => createSealer([key]).keyId;
const opsWith = (...list: Buffer[]) =>
  opsOn(database, { ENCRYPTION_KEY: list.map((key) => key.toString("base64")).join(",") });
const rotate = (list: Buffer[], ...args: string[]) =>
  opsWith(...list).run("rotate-secret", ...(args.length > 0 ? args : ["--yes"]));

/** All secrets, as they are stored. */
const stored = async (): Promise<string[]> =>
  (await sql<{ secret: string }[]>`select secret from endpoint_secrets order by id`).map(
    ({ secret }) => secret,
  );
const keyIdsOf = async () => [...new Set((await stored()).map(sealedUnder))];

async function withApi<T>(list: Buffer[], work: (api: Awaited<ReturnType<typeof startApi>>) => Promise<T>) {
  const api = await startApi({ database, ...(list.length > 0 && { encryptionKeys: list }) });
  try {
    return await work(api);
  } finally {
    await api.stop();
  }
}
const secretsBy = (list: Buffer[], uid: string, count: number) =>
  withApi(list, async (api) => {
    const secrets: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const { body } = await api.request("GET", `/app/${uid}/endpoint/e${n}/secret`);
      secrets.push(body.key);
    }
    return secrets;
  });
const createEndpoints = (list: Buffer[], uid: string, count: number) =>
  withApi(list, async (api) => {
    await api.request("POST", "/app", { body: { name: uid, uid } });
    for (let n = 0; n < count; n += 1) {
      await api.request("POST", `/app/${uid}/endpoint`, {
        body: { url: "https://example.com/", uid: `e${n}` },
      });
    }
  });

test("a first key, then another: what was plain, then old, ends under the new one and reads the same", async () => {
  await createEndpoints([], "acme", 3);
  const plain = await stored();
  expect(plain.every((secret) => secret.startsWith("whsec_"))).toBe(true);

  const dry = await rotate([first], "--dry-run");
  expect([dry.code, dry.err, dry.summary]).toMatchObject([0, "", { dryRun: true, scanned: 3, encrypted: 3 }]);
  expect(await stored()).toEqual(plain);

  const initial = await rotate([first]);
  expect([initial.code, initial.summary]).toMatchObject([0, { scanned: 3, encrypted: 3, failed: 0 }]);
  expect(await keyIdsOf()).toEqual([keyId(first)]);

  const next = await rotate([second, first]);
  expect([next.code, next.summary]).toMatchObject([0, { key: keyId(second), encrypted: 3 }]);
  expect(await keyIdsOf()).toEqual([keyId(second)]);
  expect(await secretsBy([second], "acme", 3)).toEqual(plain);

  const before = await stored();
  const again = await rotate([second, first]);
  expect([again.code, again.summary]).toMatchObject([0, { scanned: 3, encrypted: 0 }]);
  expect(await stored()).toEqual(before);

  const log = await sql`select actor, detail, org_id from audit_log
                        where action = 'endpoint-secret.rotate-key' order by id`;
  expect(log.map(({ detail }) => detail.keyId)).toEqual([keyId(first), keyId(second), keyId(second)]);
  expect(log[0]?.actor).toMatch(/^operator:.+@.+/);
}, 60_000);

test("processes with the keys in any order read all of it, before, amid and after", async () => {
  await createEndpoints([second], "mixed", 2);
  // One that writes with the old key still, beside one that writes with the new.
  await createEndpoints([second, third], "old-writer", 2);
  await createEndpoints([third, second], "new-writer", 2);
  const secrets = async (list: Buffer[]) => [
    await secretsBy(list, "mixed", 2),
    await secretsBy(list, "old-writer", 2),
    await secretsBy(list, "new-writer", 2),
  ];
  const before = await secrets([second, third]);
  const slow = opsWith(third, second);
  const child = slow.start("rotate-secret", "--yes", "--rate", "1");
  await until(async () => sealedUnder((await stored())[0] ?? "") === keyId(third), 20_000);
  expect(await secrets([second, third])).toEqual(before);
  expect(await secrets([third, second])).toEqual(before);
  child.kill("SIGINT");
  const cut = await slow.finish(child);
  expect([cut.code, cut.summary?.interrupted]).toEqual([130, true]);

  expect((await rotate([third, second])).code).toBe(0);
  expect(await keyIdsOf()).toEqual([keyId(third)]);
  expect(await secrets([third])).toEqual(before);
}, 60_000);

test("a secret that no key opens is left as it is, is named, and makes it exit 1", async () => {
  const untouched = await stored();
  const lost = createSealer([randomBytes(32)]);
  const [row] = await sql<{ id: string; endpoint_id: string }[]>`
    update endpoint_secrets set secret = ${lost.seal("whsec_x")}
    where id = (select min(id) from endpoint_secrets) returning id, endpoint_id`;
  const ended = await rotate([first, third]);
  expect([ended.code, ended.summary]).toMatchObject([1, { encrypted: untouched.length - 1, failed: 1 }]);
  expect(ended.lines).toContainEqual(
    expect.objectContaining({ event: "unreadable", endpointId: row?.endpoint_id, keyId: lost.keyId }),
  );
  expect((await stored())[0]).toStartWith(`enc:v1:${lost.keyId}:`);
  expect((await rotate([third])).summary).toMatchObject({ failed: untouched.length });
}, 60_000);

test("what can't be done is said, with an exit code", async () => {
  const none = await opsOn(database).run("rotate-secret", "--yes");
  expect([none.code, none.err]).toEqual([2, expect.stringContaining("ENCRYPTION_KEY is not set")]);
  const unsure = await opsWith(first).run("rotate-secret");
  expect([unsure.code, unsure.err]).toEqual([2, expect.stringContaining("--yes")]);
  const rate = await rotate([first], "--rate", "0");
  expect([rate.code, rate.err]).toEqual([2, expect.stringContaining("--rate is a whole number")]);
});
