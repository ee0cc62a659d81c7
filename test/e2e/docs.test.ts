import { expect, test } from "bun:test";
import { join } from "node:path";
import { describeApp } from "../../src/app.ts";
import { findChromium } from "../harness/browser.ts";

const chromium = findChromium();
if (chromium === null) console.warn("no Chromium here: nobody has looked at /docs in a browser");

/** A namespace without a network, where this user may make one; without it, the page's requests are looked at only. */
async function offline(): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const wrapped = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "offline"];
  const tried = Bun.spawn([...wrapped, "true"], { stdout: "ignore", stderr: "ignore" });
  return (await tried.exited.catch(() => 1)) === 0 ? wrapped : [];
}

test.skipIf(chromium === null)(
  "/docs shows every operation in a real browser that reaches nothing but this server",
  async () => {
    const wrapped = await offline().catch(() => []);
    if (wrapped.length === 0)
      console.warn("no network namespace here: /docs is looked at with networking on");
    const script = join(import.meta.dir, "../harness/read-docs.ts");
    const folder = process.env.SCREENSHOTS ? [process.env.SCREENSHOTS] : [];
    const reader = Bun.spawn([...wrapped, process.execPath, script, chromium ?? "", ...folder], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [text, errors] = await Promise.all([reader.stdout.text(), reader.stderr.text()]);
    expect([await reader.exited, errors]).toEqual([0, ""]);

    const seen = JSON.parse(text);
    const { paths, tags } = describeApp();
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(() => path),
    );
    expect(seen.at).toBe("/docs");
    expect(seen.operations.toSorted()).toEqual(operations.toSorted());
    expect(seen.tags.length).toBeGreaterThan(5);
    expect((tags as { name: string }[]).map(({ name }) => name)).toEqual(expect.arrayContaining(seen.tags));
    for (const part of ["Send a message", "Idempotency-Key", "eventType", "202", "422"]) {
      expect(seen.open).toContain(part);
    }
    expect({ complaints: seen.complaints, elsewhere: seen.elsewhere }).toEqual({
      complaints: [],
      elsewhere: [],
    });
  },
  240_000,
);
