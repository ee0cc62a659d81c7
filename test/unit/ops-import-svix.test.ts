import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { type Api, orgToken, startApi } from "../harness/api.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";
import { until } from "../harness/receiver.ts";

const org = "org_000000000000000000000000new";
let source: Api;
let token: string;
let target: TestDatabase;
beforeAll(async () => {
  [source, target] = await Promise.all([startApi(), createTestDatabase()]);
  token = await orgToken("org_a");
});
afterAll(async () => {
  await source.stop();
  await target.drop();
});

const ops = () => opsOn(target);
const command = (...args: string[]) => [
  "import-svix",
  "--from",
  source.url,
  "--token",
  token,
  "--org",
  org,
  ...args,
];
const run = (...args: string[]) => ops().run(...command(...args));
const post = async (path: string, body: object) => {
  const answer = await source.request("POST", path, { body });
  expect([path, answer.text, answer.status]).toEqual([path, expect.anything(), 201]);
  return answer.body;
};
/** All that an import may write, as it stands. */
const stored = async () => {
  const read = (table: string) => target.sql.unsafe(`select * from ${table} order by 1`);
  return {
    types: await read("event_types"),
    applications: await read("applications"),
    endpoints: await read("endpoints"),
    secrets: await read("endpoint_secrets"),
  };
};
const secret = (fill: number) => `whsec_${Buffer.alloc(24, fill).toString("base64")}`;

test("a dry run writes nothing; a run takes everything over as it is; a second one changes nothing", async () => {
  await post("/event-type", {
    name: "invoice.paid",
    description: "Paid",
    schemas: { "1": { type: "object" } },
  });
  await post("/event-type", { name: "old", description: "Gone", archived: true, featureFlag: "beta" });
  const acme = await post("/app", { name: "Acme", uid: "acme", throttleRate: 7, metadata: { plan: "pro" } });
  await post("/app", { name: "No uid" });
  const full = await post("/app/acme/endpoint", {
    url: "https://receiver.example/hook",
    uid: "billing",
    description: "Billing",
    eventTypes: ["invoice.paid"],
    channels: ["c:1"],
    throttleRate: 3,
    disabled: true,
    metadata: { a: "b" },
    secret: secret(1),
    headers: { "x-tenant": "7", authorization: "Bearer s3cret" },
  });
  await post("/app/acme/endpoint", { url: "https://receiver.example/other", secret: secret(2) });

  const dry = await run("--dry-run");
  const added = {
    eventTypes: 2,
    applications: 2,
    endpoints: 2,
    kept: 0,
    skipped: 0,
    incomplete: 1,
    failed: 0,
  };
  expect([dry.code, dry.err, dry.summary]).toMatchObject([0, "", added]);
  expect((await stored()).applications.length).toBe(0);

  const ran = await run();
  expect([ran.code, ran.err, ran.summary]).toMatchObject([0, "", added]);
  expect(ran.lines).toContainEqual(
    expect.objectContaining({
      event: "incomplete",
      id: full.id,
      reason: expect.stringContaining("authorization"),
    }),
  );
  const api = await startApi({ database: target });
  try {
    const own = { token: await orgToken(org) };
    const both = async (path: string) => [
      (await source.request("GET", path)).body,
      (await api.request("GET", path, own)).body,
    ];
    const timeless = ({ createdAt: _, updatedAt: __, ...rest }: Record<string, unknown>) => rest;
    for (const path of [
      "/app/acme",
      `/app/${acme.id}/endpoint/${full.id}`,
      "/event-type/invoice.paid",
      "/event-type/old",
    ]) {
      const [there, here] = await both(path);
      expect(timeless(here)).toEqual(timeless(there));
    }
    const [there, here] = await both("/app/acme/endpoint/billing/secret");
    expect([there, here]).toEqual([{ key: secret(1) }, { key: secret(1) }]);
    const headers = (await api.request("GET", "/app/acme/endpoint/billing/headers", own)).body;
    expect(headers).toEqual({ headers: { "x-tenant": "7" }, sensitive: [] });
  } finally {
    await api.stop();
  }

  const before = await stored();
  const again = await run();
  expect([again.code, again.summary]).toMatchObject([
    0,
    { eventTypes: 0, applications: 0, endpoints: 0, kept: 6, incomplete: 0, failed: 0 },
  ]);
  expect(await stored()).toEqual(before);
  const log = await target.sql`select actor, action, org_id, detail from audit_log order by id`;
  expect(log).toMatchObject([
    { action: "svix.import", org_id: org, detail: { from: source.url } },
    { action: "svix.import" },
  ]);
  expect(JSON.stringify(log)).not.toContain(token);
}, 60_000);

test("killed in the middle, the same command goes on: nothing twice, nothing left out, however many pages", async () => {
  const { id } = await post("/app", { name: "Large", uid: "large" });
  const ids = Array.from({ length: 280 }, () => newId("ep_"));
  const { sql } = source.database;
  await sql`insert into endpoints (id, org_id, app_id, url)
            select id, 'org_a', ${id}, 'https://receiver.example/' from unnest(${ids}::text[]) id`;
  await sql`insert into endpoint_secrets (org_id, endpoint_id, secret)
            select 'org_a', id, ${secret(3)} from unnest(${ids}::text[]) id`;
  const here = async () =>
    (await target.sql<{ id: string }[]>`select id from endpoints where app_id = ${id} order by id`).map(
      (row) => row.id,
    );
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const before = (await here()).length;
    const child = ops().start(...command("--rate", "40"));
    await until(async () => (await here()).length > before + 5, 30_000);
    const cut = await ops().cut(child, signal);
    if (signal === "SIGINT") expect([cut.code, cut.summary?.interrupted]).toEqual([130, true]);
  }
  const left = ids.length - (await here()).length;
  expect(left).toBeGreaterThan(0);
  const ended = await run();
  expect([ended.code, ended.summary]).toMatchObject([0, { endpoints: left, failed: 0 }]);
  expect(await here()).toEqual(ids.toSorted());
  const secrets = await target.sql`
    select count(*)::int as count from endpoint_secrets where endpoint_id = any(${ids}::text[]) and secret = ${secret(3)}`;
  expect(secrets).toMatchObject([{ count: ids.length }]);
}, 90_000);

test("what was deleted here stays so, what is here under the uid is gone on with", async () => {
  const gone = await post("/app", { name: "Gone" });
  await post("/app", { name: "Mine", uid: "mine" });
  await post("/app/mine/endpoint", { url: "https://receiver.example/mine", uid: "hook" });
  const own = newId("app_");
  await target.sql`insert into applications (id, org_id, uid, name) values (${own}, ${org}, 'mine', 'Here before')`;
  await target.sql`insert into applications (id, org_id, name, deleted_at) values (${gone.id}, ${org}, 'x', now())`;
  const ran = await run();
  expect([ran.code, ran.summary]).toMatchObject([0, { applications: 0, endpoints: 1, skipped: 1 }]);
  expect(ran.lines).toContainEqual(expect.objectContaining({ event: "skipped", id: gone.id }));
  expect(await target.sql`select app_id from endpoints where uid = 'hook'`).toMatchObject([{ app_id: own }]);
  expect(await target.sql`select name from applications where id = ${own}`).toMatchObject([
    { name: "Here before" },
  ]);
}, 60_000);

/** A server with answers as the open-source one gives them, and what only a broken one would. */
function pretend(answers: Record<string, unknown>) {
  const page = (data: unknown[]) => ({ data, iterator: null, prevIterator: null, done: true });
  let failures = 2;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      if (request.headers.get("authorization") !== "Bearer right") return new Response(null, { status: 401 });
      if (failures-- > 0) return new Response(null, { status: failures > 0 ? 503 : 429 });
      const { pathname } = new URL(request.url);
      const answer = answers[pathname.replace("/base/api/v1", "")] ?? page([]);
      return Response.json(Array.isArray(answer) ? page(answer) : answer);
    },
  });
  return { url: `http://127.0.0.1:${server.port}/base/`, stop: () => server.stop(true) };
}

test("the open-source server's shapes are read; what can't be taken over is named, and makes it exit 1", async () => {
  const at = { createdAt: "2026-01-02T03:04:05.678Z", updatedAt: "2026-01-02T03:04:05.678Z" };
  const [app, fine, signing, strange] = [newId("app_"), newId("ep_"), newId("ep_"), newId("ep_")];
  const future = newId("app_", Date.now() + 86_400_000);
  const endpoint = {
    description: "",
    disabled: false,
    metadata: {},
    channels: null,
    filterTypes: null,
    version: 1,
    rateLimit: 9,
    ...at,
  };
  const path = (id: string) => `/app/${app}/endpoint/${id}`;
  const server = pretend({
    "/event-type": [
      {
        name: "a.b",
        description: "x",
        archived: false,
        deprecated: false,
        schemas: null,
        featureFlag: null,
        ...at,
      },
    ],
    "/app": [
      { id: app, uid: null, name: "Oss", rateLimit: null, metadata: {}, ...at },
      { id: "app_1", name: "Strange", metadata: {}, ...at },
      { id: future, name: "Future", metadata: {}, ...at },
    ],
    [`/app/${app}/endpoint`]: [
      { id: fine, url: "https://receiver.example/", uid: null, ...endpoint, filterTypes: ["a.b"] },
      { id: signing, url: "https://receiver.example/", uid: null, ...endpoint },
      { id: strange, url: "ftp://receiver.example/", uid: null, ...endpoint },
    ],
    [`${path(fine)}/secret`]: { key: secret(4) },
    [`${path(fine)}/headers`]: { headers: {}, sensitive: [] },
    [`${path(signing)}/secret`]: { key: `whpk_${Buffer.alloc(32, 1).toString("base64")}` },
    [`${path(signing)}/headers`]: { headers: {}, sensitive: [] },
    [`${path(strange)}/secret`]: { key: secret(5) },
    [`${path(strange)}/headers`]: { headers: {}, sensitive: [] },
  });
  const other = "org_000000000000000000000000oss";
  try {
    const importIt = (...args: string[]) =>
      ops().run("import-svix", "--from", server.url, "--org", other, ...args);
    const refused = await importIt("--token", "wrong");
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("401") });
    const ran = await importIt("--token", "right");
    expect([ran.code, ran.summary]).toMatchObject([
      1,
      { eventTypes: 1, applications: 1, endpoints: 1, failed: 4 },
    ]);
    const failed = ran.lines.filter(({ event }) => event === "failed");
    expect(failed.map(({ id, reason }) => [id, reason])).toEqual([
      [signing, expect.stringContaining("Ed25519")],
      [strange, expect.stringContaining("url must be http or https")],
      ["app_1", expect.stringContaining("its id is not app_")],
      [future, expect.stringContaining("future")],
    ]);
    const [row] = await target.sql`select throttle_rate, event_types from endpoints where id = ${fine}`;
    expect(row).toEqual({ throttle_rate: 9, event_types: ["a.b"] });
  } finally {
    await server.stop();
  }
}, 60_000);

test.each([
  [["--from", "ftp://x", "--token", "t"], "--from is an http or https URL"],
  [["--from", "https://svix.example"], "Missing --token"],
  [["--from", "https://svix.example", "--token", "t", "--org", "org_x"], "--org is org_ and 27"],
])("import-svix %j exits 2", async (args, message) => {
  const ended = await ops().run("import-svix", ...args);
  expect(ended).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
});

test("a token from standard input works; where nothing answers as Svix does, that is said", async () => {
  const child = Bun.spawn(
    ["bun", "src/main.ts", "ops", "import-svix", "--from", source.url, "--token", "-", "--dry-run"],
    {
      env: { PATH: Bun.env.PATH, DATABASE_URL: target.url },
      stdin: new Blob([`${token}\n`]),
      stdout: "pipe",
      stderr: "pipe",
      timeout: 60_000,
    },
  );
  expect([await child.exited, await child.stderr.text()]).toEqual([0, ""]);
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("<html>") });
  const ended = await ops().run("import-svix", "--from", `http://127.0.0.1:${server.port}`, "--token", "t");
  await server.stop(true);
  expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("not what the Svix API answers") });
}, 60_000);
