/**
 * `bun .ci/smoke.ts <executable>`: a first start in an empty folder with an empty environment, a message through
 * it to `ops receive`, which verifies it, and a clean stop.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const executable = resolve(process.argv[2] ?? "app");
const folder = mkdtempSync(join(tmpdir(), "posthorn-smoke-"));
const env = { PATH: "/usr/bin:/bin", HOME: folder, PORT: "0", EGRESS_ALLOW: "127.0.0.0/8" };
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const children: Bun.Subprocess[] = [];
const watchdog = setTimeout(() => fail("not done within 60 s"), 60_000);

/** Starts the executable and reads its output line by line. */
function start(args: string[]) {
  const child = Bun.spawn([executable, ...args], {
    cwd: folder,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: Bun.file(join(folder, "stderr.log")),
  });
  children.push(child);
  const lines = readLines(child.stdout);
  return {
    child,
    async line(holds: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
      for (let next = await lines.next(); !next.done; next = await lines.next()) {
        if (next.value.startsWith("{") && holds(JSON.parse(next.value))) return JSON.parse(next.value);
      }
      return fail(`${args.join(" ")} ended early`);
    },
  };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function fail(reason: string): never {
  console.error(`smoke test: ${reason}\n${readFileSync(join(folder, "stderr.log"), "utf8")}`);
  for (const child of children) child.kill();
  process.exit(1);
}

function expect(holds: boolean, reason: string): void {
  if (!holds) fail(reason);
}

const serve = start(["serve"]);
const { port } = await serve.line(({ msg }) => msg === "listening");
if (process.platform === "linux") {
  const environ = readFileSync(`/proc/${serve.child.pid}/environ`, "utf8").split("\0");
  for (const setting of ["MIMALLOC_PURGE_DELAY=1000", "BUN_JSC_useWarmUpMarkedBlocks=false"])
    expect(environ.includes(setting), `serve runs without ${setting}`);
}
const token = Bun.spawnSync([executable, "ops", "token"], { cwd: folder, env }).stdout.toString().trim();

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.ok, `POST ${path}: ${response.status} ${await response.clone().text()}`);
  return (await response.json()) as Record<string, unknown>;
}

const receive = start(["ops", "receive", "--port", "0", "--secret", secret, "--count", "1", "--json"]);
const { url } = await receive.line(({ event }) => event === "listening");
await post("/app", { name: "Acme", uid: "acme" });
await post("/app/acme/endpoint", { url, secret });
const message = await post("/app/acme/msg", { eventType: "invoice.paid", payload: { id: "in_1" } });
const received = await receive.line(({ event }) => event === "message");
expect(received.id === message.id && received.verified === true, `received ${JSON.stringify(received)}`);
expect((await receive.child.exited) === 0, "ops receive did not exit 0");

serve.child.kill("SIGTERM");
expect((await serve.child.exited) === 0, "serve did not exit 0 after SIGTERM");
clearTimeout(watchdog);
rmSync(folder, { recursive: true, force: true });
console.log(`smoke test: ${message.id} was accepted, delivered and verified; serve stopped cleanly`);
