import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import {
  binary,
  folderFor,
  isRoot,
  killApps,
  postmasterIn,
  runApp,
  startApp,
  startServe,
  usedDataDir,
} from "../harness/binary.ts";
import { createClient, createTarget } from "../harness/client.ts";
import { startReceiver, until } from "../harness/receiver.ts";

setDefaultTimeout(60_000);
beforeAll(binary, 120_000);
afterAll(killApps);

const commands = [
  "",
  "serve",
  "worker",
  "migrate",
  "migrate up",
  "migrate status",
  "migrate check",
  "ops",
  "ops token",
  "ops receive",
  "ops health",
  "ops openapi",
  "ops keys",
  "ops keys create",
  "ops keys list",
  "ops keys revoke",
  "ops backfill",
  "ops rotate-secret",
  "ops stats",
  "ops doctor",
].map((line) => ({ line, argv: line.split(" ").filter(Boolean) }));

describe("serve", () => {
  test.each([
    ["serve", "PORT"],
    ["worker", "WORKER_PORT"],
  ])(
    "a port that is taken is a sentence and exit 1, before anything is opened: %s",
    async (role, variable) => {
      const taken = startReceiver();
      const { port } = new URL(taken.url);
      const cwd = folderFor();
      const { code, stderr } = await runApp([role], { cwd, env: { [variable]: port } });
      await taken.stop();
      expect(code).toBe(1);
      expect(stderr).toStartWith(`Port ${port} of 127.0.0.1 is taken`);
      expect(stderr).toEndWith(`set ${variable} to another\n`);
      expect(readdirSync(cwd)).toEqual([]);
    },
  );

  test.each([
    { allow: "", expected: "EGRESS_ALLOW=127.0.0.0/8" },
    { allow: "127.0.0.0/8", expected: null },
  ])("the first message to try says when it would be refused: EGRESS_ALLOW=$allow", async (row) => {
    const env = { DATA_DIR: await usedDataDir(), EGRESS_ALLOW: row.allow };
    const serve = await startServe({ args: ["--greet"], env });
    await until(() => serve.stderr().includes("/app/acme/msg"));
    if (row.expected === null) expect(serve.stderr()).not.toContain("refused");
    else expect(serve.stderr()).toContain(row.expected);
    serve.kill();
    expect(await serve.exited).toBe(0);
  });
});

describe("the command line", () => {
  test("--version", async () => {
    expect(await runApp(["--version"])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: "" });
  });

  test.each(commands)("$line --help says what it does, and opens nothing", async ({ line, argv }) => {
    const cwd = folderFor();
    const { code, stdout, stderr } = await runApp([...argv, "--help"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`USAGE`);
    expect(stdout).toContain(`app ${line}`.trim());
    expect(stdout).not.toMatch(/ $/m);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("serve and worker list every variable", async () => {
    for (const role of ["serve", "worker"]) {
      const { stdout } = await runApp([role, "--help"]);
      for (const name of ["DATABASE_URL", "RETRY_SCHEDULE", "EGRESS_ALLOW", "SHUTDOWN_TIMEOUT_MS"]) {
        expect(stdout).toContain(name);
      }
    }
  });

  test.each([
    [["srve"], "did you mean serve?"],
    [["serve", "--workr"], "did you mean --worker?"],
    [["serve", "stray"], 'Unexpected argument "stray"'],
    [["worker", "--worker"], "Unknown flag --worker"],
    [["migrate", "chek"], "did you mean check?"],
    [["migrate", "--jsno"], "did you mean --json?"],
    [["ops", "tokn"], "did you mean token?"],
    [["ops", "token", "--ap", "app_1"], "did you mean --app?"],
    [["ops", "token", "--org", ""], "--org"],
    [["ops", "receive", "--port="], "--port"],
    [["ops", "backfill", "--since", "1h"], "Missing --endpoint"],
    [["ops", "backfill", "--endpoint", "ep_1", "--since", "1h"], "--endpoint is ep_ and 27"],
    [["ops", "receive", "--port", "eighty"], "--port is a whole number"],
    [["ops", "receive", "--port"], "--port needs a value"],
  ])("%j exits 2 and says what is wrong", async (argv, sentence) => {
    const cwd = folderFor();
    const { code, stdout, stderr } = await runApp(argv, { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(sentence);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("the environment", () => {
  test("every wrong variable is named at once, with exit 2, before anything is opened", async () => {
    const cwd = folderFor();
    const env = {
      PORT: "eighty",
      RETRY_JITTER: "2",
      EGRESS_ALLOW: "10.0.0.0/99",
      JWT_SECRET: "short",
      HOST: "0.0.0.0",
    };
    for (const role of ["serve", "worker", "migrate"]) {
      const { code, stdout, stderr } = await runApp([role], { cwd, env });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      for (const name of ["PORT", "RETRY_JITTER", "EGRESS_ALLOW", "JWT_SECRET"])
        expect(stderr).toContain(`${name}: got`);
      expect(stderr).not.toContain("short\n");
    }
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("a HOST that can't be listened on is named, with exit 2, before anything is opened", async () => {
    const cwd = folderFor();
    for (const role of ["serve", "worker"]) {
      const { code, stderr } = await runApp([role], { cwd, env: { HOST: "192.0.2.1" } });
      expect(code).toBe(2);
      expect(stderr).toContain('HOST: got "192.0.2.1", expected an address of this machine');
    }
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("with DATABASE_URL, serve and worker demand JWT_SECRET", async () => {
    const env = { DATABASE_URL: "postgres://127.0.0.1:1/none" };
    for (const role of ["serve", "worker"]) {
      const { code, stderr } = await runApp([role], { env });
      expect(code).toBe(2);
      expect(stderr).toContain("JWT_SECRET: got nothing");
    }
  });

  test("a hostile .env and bunfig.toml where it is started change nothing", async () => {
    const cwd = folderFor();
    writeFileSync(join(cwd, ".env"), "PORT=eighty\nDATABASE_URL=postgres://evil/none\nJWT_SECRET=x\n");
    writeFileSync(join(cwd, "bunfig.toml"), 'preload = ["./evil.ts"]\n[run]\nbun = true\n');
    writeFileSync(join(cwd, "evil.ts"), 'require("node:fs").writeFileSync("evil", "")');
    writeFileSync(join(cwd, "package.json"), "{ not json");
    writeFileSync(join(cwd, "tsconfig.json"), "{ not json");
    const serve = await startServe({ cwd });
    expect((await fetch(`${serve.url}/api/v1/health/ping`)).status).toBe(204);
    serve.kill();
    expect(await serve.exited).toBe(0);
    expect(existsSync(join(cwd, "evil"))).toBe(false);
    expect(existsSync(join(cwd, "data"))).toBe(true);
  });
});

/** Once as whoever runs the tests, which PostgreSQL refuses when it is root, and once as an ordinary user. */
const users = [
  { user: "this user", unprivileged: false, possible: true },
  { user: "an ordinary user (skipped unless root runs the tests)", unprivileged: true, possible: isRoot },
];
for (const { user, unprivileged, possible } of users)
  describe.skipIf(!possible)(`embedded, as ${user}`, () => {
    test("beside a live serve: a second serve is refused, ops and migrate join it", async () => {
      const dataDir = await usedDataDir({ unprivileged });
      const env = { DATA_DIR: dataDir, PORT: "0" };
      // JWT_SECRET is unset: the one made in DATA_DIR holds for serve and for `ops token`.
      const serve = await startApp({ unprivileged, args: ["serve"], env });
      const { port } = await serve.logged("listening");

      const second = await runApp(["serve"], { unprivileged, env });
      expect(second.code).toBe(1);
      expect(second.stderr).toContain(`another posthorn serve (pid ${serve.pid}) is running`);
      const postgresPid = postmasterIn(dataDir);

      const token = await runApp(["ops", "token"], { unprivileged, env });
      expect(token.code).toBe(0);
      const { stdout } = Bun.spawnSync(["stat", "-c", "%a", join(dataDir, "jwt-secret")]);
      expect(stdout.toString()).toBe("600\n");
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/app`, {
        headers: { authorization: `Bearer ${token.stdout.trim()}` },
      });
      expect(response.status).toBe(200);

      const check = await runApp(["migrate", "check"], { unprivileged, env });
      expect(check).toMatchObject({ code: 0 });
      expect(check.stdout).toEndWith("ok\n");
      expect(postmasterIn(dataDir)).toBe(postgresPid);

      const health = await runApp(["ops", "health"], { env: { PORT: String(port) } });
      expect(health.code).toBe(0);
      serve.kill();
      expect(await serve.exited).toBe(0);
      expect((await runApp(["ops", "health"], { env: { PORT: String(port) } })).code).toBe(1);
    });

    test("alone: migrate starts PostgreSQL and stops it again", async () => {
      const dataDir = folderFor({ unprivileged });
      const env = { DATA_DIR: dataDir };
      expect((await runApp(["migrate", "check"], { unprivileged, env })).code).toBe(1);
      expect(await runApp(["migrate", "up", "--json"], { unprivileged, env })).toMatchObject({ code: 0 });
      expect((await runApp(["migrate", "check"], { unprivileged, env })).code).toBe(0);
      expect((await runApp(["ops", "doctor"], { unprivileged, env })).stdout).toContain("Start app serve.\n");
      expect(postmasterIn(dataDir)).toBeNull();
    });
  });

test("ops receive verifies, prints and answers what a serve sends", async () => {
  const serve = await startServe({ env: { DATA_DIR: await usedDataDir() } });
  const client = createClient(serve.url);
  const hook = startReceiver();
  const { endpointId } = await createTarget(client, hook);
  const { key } = await client.get<{ key: string }>(`/app/acme/endpoint/${endpointId}/secret`);
  const receive = await startApp({
    args: ["ops", "receive", "--port", "0", "--secret", key, "--count", "1", "--json"],
  });
  const printed = () =>
    receive
      .stdout()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  await until(() => printed()[0]?.event === "listening");
  await client.post(`/app/acme/endpoint`, { url: `${printed()[0].url}/hook`, secret: key });
  const { id } = await client.post<{ id: string }>("/app/acme/msg", {
    eventType: "invoice.paid",
    payload: { number: 12.5 },
  });
  expect(await receive.exited).toBe(0);
  expect(printed()[1]).toMatchObject({
    id,
    verified: true,
    status: 204,
    path: "/hook",
    body: '{"number":12.5}',
  });
  serve.kill();
  expect(await serve.exited).toBe(0);
  await hook.stop();
});
