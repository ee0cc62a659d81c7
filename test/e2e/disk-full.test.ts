import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  binary,
  isRoot,
  killApps,
  orgToken,
  type Service,
  startServe,
  usedDataDir,
} from "../harness/binary.ts";
import { createClient, createTarget } from "../harness/client.ts";
import { startReceiver, until } from "../harness/receiver.ts";
import { mountSmallDisk, type SmallDisk } from "../harness/small-disk.ts";

setDefaultTimeout(120_000);

const disks: SmallDisk[] = [];
beforeAll(binary);
afterAll(() => {
  killApps();
  for (const disk of disks) disk.remove();
});

const diskMebibytes = 128;
/** What the disk has left: more than is written before the first message, less than a segment of the log. */
const roomBytes = 4 * 2 ** 20;
const parts = { "PostgreSQL's tables": "base", "PostgreSQL's log": "pg_wal" };
const told =
  '{"code":"unavailable","detail":"The database can\'t be used at the moment. Try again shortly."}';

type Answer = { status: number; retryAfter: string | null; body: string };

/** Sends a message of 20 KB that can't be compressed. */
async function post(serve: Service): Promise<Answer> {
  const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(15_000))).toString("base64");
  const response = await fetch(`${serve.url}/api/v1/app/acme/msg`, {
    method: "POST",
    headers: { authorization: `Bearer ${orgToken}`, "content-type": "application/json" },
    body: JSON.stringify({ eventType: "invoice.paid", payload: { noise } }),
    signal: AbortSignal.timeout(30_000),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: await response.text(),
  };
}

/** Milliseconds of processor time that the process has used. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

test.skipIf(!isRoot).each(["PostgreSQL's tables", "PostgreSQL's log"] as const)(
  "no room for %s: 503 to all who send, and back once there is room; what was accepted arrives",
  async (part) => {
    const disk = mountSmallDisk(diskMebibytes);
    if (disk === null) return console.log("not tested: no file system can be mounted here");
    disks.push(disk);
    const dataDir = await usedDataDir();
    const folder = join(dataDir, "postgres/data", parts[part]);
    Bun.spawnSync(["mv", folder, disk.folder]);
    symlinkSync(join(disk.folder, parts[part]), folder);
    const serve = await startServe({ env: { DATA_DIR: dataDir, RETRY_SCHEDULE: "0.2,1,1,1,1,1,1,1" } });
    const receiver = startReceiver();
    await createTarget(createClient(serve.url), receiver);
    disk.fill(roomBytes);

    const accepted: string[] = [];
    const refused: Answer[] = [];
    const send = async (): Promise<number> => {
      const answer = await post(serve);
      if (answer.status === 202) accepted.push(JSON.parse(answer.body).id);
      else refused.push(answer);
      return answer.status;
    };
    const sendUntil = (done: () => boolean) =>
      Promise.all(
        Array.from({ length: 8 }, async () => {
          while (!done()) if ((await send()) !== 202) await Bun.sleep(20);
        }),
      );
    await sendUntil(() => refused.length > 0);
    const fullAt = performance.now();
    await sendUntil(() => performance.now() - fullAt > 2_000);
    // Without requests there is little to do: it tries again, with pauses.
    const before = processorMs(serve.pid);
    await Bun.sleep(2_000);
    expect(processorMs(serve.pid) - before).toBeLessThan(1_000);

    disk.free();
    const freedAt = performance.now();
    await until(async () => (await send()) === 202, 30_000);
    const backMs = Math.round(performance.now() - freedAt);
    await until(
      () => accepted.every((id) => receiver.delivered.has(id)),
      30_000,
      () => `${receiver.delivered.size} of ${accepted.length}`,
    );
    console.log(
      `${part}: ${accepted.length} accepted, ${refused.length} refused, back ${backMs} ms after there was room`,
    );
    const unlike = refused.filter(
      ({ status, retryAfter, body }) => status !== 503 || retryAfter !== "1" || body !== told,
    );
    expect(unlike).toEqual([]);
    serve.kill();
    expect(await serve.exited).toBe(0);
    expect(serve.stderr()).toBe("");
    await receiver.stop();
  },
);
