import { describe, expect, test } from "bun:test";
import { confirm } from "../../src/lib/operator/confirm.ts";
import { runJob } from "../../src/lib/operator/job.ts";
import { createRateLimiter } from "../../src/lib/operator/rate.ts";
import { barText, createReport } from "../../src/lib/operator/report.ts";

function fakeOutput(terminal: boolean) {
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const written = { out: "", err: "" };
  const output = {
    terminal,
    out: (text: string) => {
      written.out += text;
    },
    err: (text: string) => {
      written.err += text;
    },
    nowMs: () => clock.ms,
  };
  return { output, written, clock };
}

describe("runJob", () => {
  test.each([
    [{ done: 3 }, 0],
    [{ done: 3, failed: 0 }, 0],
    [{ done: 2, failed: 1 }, 1],
  ])("the counts %j exit with %d", async (counts, code) => {
    const { output, written } = fakeOutput(false);
    expect(await runJob({}, async () => counts, output)).toBe(code);
    expect(JSON.parse(written.out)).toEqual({
      time: "2026-01-01T00:00:00.000Z",
      event: "summary",
      ...counts,
    });
  });

  test("a signal aborts the work, which still ends with its counts, and 130", async () => {
    const { output, written } = fakeOutput(false);
    const before = process.listenerCount("SIGTERM");
    const code = await runJob(
      {},
      async ({ signal }) => {
        const aborted = new Promise((done) => signal.addEventListener("abort", done));
        process.kill(process.pid, "SIGTERM");
        await aborted;
        return { done: 1 };
      },
      output,
    );
    expect(code).toBe(130);
    expect(JSON.parse(written.out)).toMatchObject({ event: "summary", interrupted: true, done: 1 });
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  test("an error goes on to the command line, and the signals are given back", async () => {
    const before = process.listenerCount("SIGINT");
    const work = () => Promise.reject(new Error("boom"));
    await expect(runJob({}, work, fakeOutput(false).output)).rejects.toThrow("boom");
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  test("a dry run doesn't ask, and says in its summary what it was", async () => {
    const { output, written } = fakeOutput(false);
    await runJob(
      { "dry-run": true },
      async (job) => {
        await job.confirm("This deletes everything.");
        return { done: job.dryRun ? 0 : 1 };
      },
      output,
    );
    expect(JSON.parse(written.out)).toMatchObject({ dryRun: true, done: 0 });
  });
});

describe("confirm", () => {
  const { signal } = new AbortController();
  const ask = (answer: string) => ({ yes: false, signal, ask: async () => answer });

  test("goes on with --yes, or a yes", async () => {
    await confirm("Sure.", { yes: true, signal, output: fakeOutput(false).output });
    const { output, written } = fakeOutput(true);
    await confirm("This deletes 3 messages.", { ...ask("y"), output });
    expect(written.err).toContain("This deletes 3 messages.");
  });

  test.each(["", "n", "yess"])("stops at the answer '%s'", async (answer) => {
    const options = { ...ask(answer), output: fakeOutput(true).output };
    await expect(confirm("Sure.", options)).rejects.toThrow("nothing was done");
  });

  test("without a terminal says to pass --yes", async () => {
    const options = { ...ask("y"), output: fakeOutput(false).output };
    await expect(confirm("This deletes 3 messages.", options)).rejects.toThrow("pass --yes");
  });
});

describe("reports", () => {
  test("JSON lines come once a second, and at the end", () => {
    const { output, written, clock } = fakeOutput(false);
    const report = createReport(output);
    for (let done = 1; done <= 25; done++) {
      report.progress(done, 25);
      clock.ms += 100;
    }
    const shown = written.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).done);
    expect(shown).toEqual([1, 11, 21, 25]);
  });

  test("a bar goes to stderr, and makes room for sentences on stdout", () => {
    const { output, written, clock } = fakeOutput(true);
    const report = createReport(output);
    clock.ms += 2000;
    report.progress(500, 1000);
    report.summary({ done: 500, failed: 0 });
    expect(written.err).toBe(
      "\r\x1b[2K[###############...............]  50 %  500 of 1000  250/s  2 s left\r\x1b[2K",
    );
    expect(written.out).toBe("Done: done 500, failed 0\n");
  });

  test("on a terminal what others wrote steers nothing", () => {
    const { output, written } = fakeOutput(true);
    createReport(output).event("key", { name: "a\u001b[2Jb\u009bc\rd" });
    expect(written.out).toBe("key: name a\ufffd[2Jb\ufffdc\ufffdd\n");
  });

  test("a bar without a total, or without time passed, makes no promises", () => {
    expect(barText(5, undefined, 1)).toBe("5 done  5/s");
    expect(barText(0, 10, 0)).toBe(`[${".".repeat(30)}]   0 %  0 of 10  0/s`);
  });
});

describe("the rate", () => {
  test("spaces batches by their size, and doesn't save up idle time", async () => {
    const clock = { ms: 0 };
    const slept: number[] = [];
    const limiter = createRateLimiter({
      perSecond: 100,
      signal: new AbortController().signal,
      nowMs: () => clock.ms,
      sleepMs: async (ms) => {
        slept.push(ms);
        clock.ms += ms;
      },
    });
    await limiter.take(50);
    await limiter.take(10);
    await limiter.take(1);
    clock.ms += 60_000;
    await limiter.take(100);
    await limiter.take(1);
    expect(slept).toEqual([500, 100, 1000]);
  });

  test("no limit never sleeps; an abort ends the wait with its reason", async () => {
    const controller = new AbortController();
    const free = createRateLimiter({ perSecond: Number.POSITIVE_INFINITY, signal: controller.signal });
    for (let batch = 0; batch < 100; batch++) await free.take(1000);
    const slow = createRateLimiter({ perSecond: 0.001, signal: controller.signal });
    await slow.take(1);
    const waiting = slow.take(1);
    controller.abort(new Error("stop now"));
    await expect(waiting).rejects.toThrow("stop now");
    await expect(free.take(1)).rejects.toThrow("stop now");
  });
});
