import { expect, test } from "bun:test";
import { describeApp } from "../../src/app.ts";
import { findChromium, readOffline } from "../harness/browser.ts";

const chromium = findChromium();
if (chromium === null) console.warn("no Chromium here: nobody has looked at /docs in a browser");

test.skipIf(chromium === null)(
  "/docs shows every operation in a real browser that reaches nothing but this server",
  async () => {
    const seen = await readOffline("read-docs.ts", chromium ?? "");
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
