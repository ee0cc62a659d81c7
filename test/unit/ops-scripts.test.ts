import { afterAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sign } from "../../src/services/standard-webhooks.ts";
import { verifyToken } from "../../src/services/tokens.ts";
import { generateSecret, parseSecret } from "../../src/services/webhook-secrets.ts";

const folder = await mkdtemp(join(tmpdir(), "ops-"));
afterAll(() => rm(folder, { recursive: true }));
const SECRET = "kJ8sQ2vZ7xN4mB1cW9eR5tY3uI6oP0aSdFgHjKlQ";

function app(args: string[], env: Record<string, string> = {}) {
  return Bun.spawn(["bun", "src/main.ts", ...args], {
    env: { PATH: Bun.env.PATH, DATA_DIR: folder, ...env },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20_000,
  });
}

async function finish(args: string[], env: Record<string, string> = {}) {
  const child = app(args, env);
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

async function* lines(stream: ReadableStream<Uint8Array>) {
  let rest = "";
  for await (const bytes of stream) {
    const parts = (rest + Buffer.from(bytes).toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) yield JSON.parse(line) as Record<string, unknown>;
  }
}

describe("ops token", () => {
  test("prints nothing but an org token for ten years", async () => {
    const { out, err, code } = await finish(["ops", "token"], { JWT_SECRET: SECRET });
    const claims = await verifyToken(SECRET, out.trim());
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out.split("\n")).toHaveLength(2);
    expect(claims?.sub).toBe("org_23rb8YdGqMT0qIzpgGwdXfHirMu");
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(315_360_000);
  });

  test("an app token has its org and the lifetime asked for", async () => {
    const appId = "app_2y6rkTqDGfhN0pQcnKp7HVzq3Ba";
    const { out } = await finish(["ops", "token", "--app", appId, "--expires=90s"], { JWT_SECRET: SECRET });
    const claims = await verifyToken(SECRET, out.trim());
    expect(claims).toMatchObject({ sub: appId, org: "org_23rb8YdGqMT0qIzpgGwdXfHirMu" });
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(90);
  });

  test.each<[string[], Record<string, string>, string]>([
    [["--org", "org_x"], {}, "--org is org_ and 27"],
    [["--expires", "0s"], {}, "--expires is a duration"],
    [[], { DATABASE_URL: "postgres://db/x" }, "JWT_SECRET is not set"],
    [[], { PORT: "x", LOG_LEVEL: "loud" }, "LOG_LEVEL: got"],
  ])("%j with %j exits 2", async (args, env, message) => {
    const { out, err, code } = await finish(["ops", "token", ...args], env);
    expect({ out, err, code }).toEqual({ out: "", err: expect.stringContaining(message), code: 2 });
  });
});

describe("ops receive", () => {
  test("verifies with any of its secrets, prints each message, answers, and leaves after the count", async () => {
    const [first, second] = [generateSecret(), generateSecret()];
    const flags = ["--port=0", "--secret", first, "--secret", second, "--status=201", "--count=2"];
    const child = app(["ops", "receive", ...flags]);
    const events = lines(child.stdout);
    const listening = (await events.next()).value;
    const url = String(listening?.url);
    const post = async (secret: string) => {
      const at = Math.floor(Date.now() / 1000);
      const body = '{"n":1.0}';
      const headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": `${at}`,
        "webhook-signature": sign([parseSecret(secret)], "msg_1", at, body),
      };
      const answer = await fetch(`${url}/hook?a=b`, { method: "POST", body, headers });
      return [answer.status, (await events.next()).value];
    };
    expect(listening).toMatchObject({ event: "listening" });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const message = { event: "message", id: "msg_1", path: "/hook?a=b", bytes: 9, body: '{"n":1.0}' };
    expect(await post(second)).toEqual([201, expect.objectContaining({ ...message, verified: true })]);
    expect(await post(generateSecret())).toEqual([
      401,
      expect.objectContaining({ ...message, verified: false, reason: "no signature matches" }),
    ]);
    expect(await child.exited).toBe(0);
  });

  test("stops at SIGTERM", async () => {
    const child = app(["ops", "receive", "--port=0"]);
    await lines(child.stdout).next();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });

  test.each([
    [["--port=70000"], "--port is a whole number from 0 to 65535"],
    [["--secret=whsec_abc"], "--secret is wrong"],
    [["--status=99"], "--status is a whole number from 200 to 599"],
  ])("%j exits 2", async (args, message) => {
    const { err, code } = await finish(["ops", "receive", ...args]);
    expect({ err, code }).toEqual({ err: expect.stringContaining(message), code: 2 });
  });
});
