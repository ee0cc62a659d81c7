import { afterAll, describe, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { createEgress } from "../../src/lib/egress/index.ts";
import type { EgressFailureReason, EgressRequest } from "../../src/lib/egress/types.ts";
import { answered, aPost, failed, isInner, listen, runIsolated, text } from "./egress-support.ts";

const MIB = 1024 * 1024;
const head = "HTTP/1.1 200 OK\r\n";

/** Writes `piece` as fast as the other side takes it, until it hangs up. */
function pour(socket: Socket, piece: string | Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", more);
  more();
}

/** Writes `piece` again and again, with pauses. */
function drip(socket: Socket, piece: string, everyMs = 30): void {
  const timer = setInterval(() => socket.write(piece), everyMs);
  socket.on("close", () => clearInterval(timer));
}

/** Once the request is there: writes `start`, then does `then`. */
const after =
  (start: string | Buffer, then: (socket: Socket) => void = () => {}) =>
  (socket: Socket) =>
    void socket.once("data", () => {
      if (start.length > 0) socket.write(start);
      then(socket);
    });

const CHUNKED = `${head}Transfer-Encoding: chunked\r\n\r\n`;
const later = (act: (socket: Socket) => void) => (socket: Socket) => void setTimeout(() => act(socket), 50);
const reset = (socket: Socket) => void socket.resetAndDestroy();
const end = (socket: Socket) => void socket.end();
const big = Buffer.alloc(MIB, "x");
const lines = "a: b\r\n".repeat(10_000);
const noise = Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 167) % 256));

type Misbehaviour = [
  name: string,
  serve: (socket: Socket) => void,
  reason: EgressFailureReason,
  message: RegExp,
];
const MISBEHAVIOURS: Misbehaviour[] = [
  [
    "accepts and says nothing",
    () => {},
    "timeout",
    /^timed out after 700 ms while waiting for the response$/,
  ],
  [
    "sends a header a byte at a time",
    after(`${head}X: `, (s) => drip(s, "x")),
    "timeout",
    /while reading the response$/,
  ],
  ["sends headers slowly", after(head, (s) => drip(s, "a: b\r\n")), "timeout", /while reading the response$/],
  [
    "stalls in the body",
    after(`${head}Content-Length: 10\r\n\r\n12345`),
    "timeout",
    /while reading the response$/,
  ],
  [
    "sends a body a byte at a time",
    after(`${head}Content-Length: 999\r\n\r\n`, (s) => drip(s, "x")),
    "timeout",
    /700 ms/,
  ],
  ["sends a 200 that never ends", after(CHUNKED, (s) => drip(s, "1\r\nx\r\n")), "timeout", /700 ms/],
  [
    "sends 100 MB of one header",
    after(`${head}X: `, (s) => pour(s, big)),
    "protocol",
    /headers exceed 32 KiB/,
  ],
  ["sends headers without end", after(head, (s) => pour(s, lines)), "protocol", /headers exceed 32 KiB/],
  ["answers with garbage", after(noise), "protocol", /not an HTTP\/1.1 response/],
  [
    "pours zeros before it was asked",
    (s) => pour(s, Buffer.alloc(MIB)),
    "protocol",
    /not an HTTP\/1.1 response/,
  ],
  ["speaks SSH", (s) => void s.write("SSH-2.0-OpenSSH_9.9\r\n"), "protocol", /not an HTTP\/1.1 response/],
  ["speaks HTTP/2", after("HTTP/2 200\r\n\r\n"), "protocol", /not an HTTP\/1.1 response/],
  [
    "floods with 1xx",
    after("", (s) => pour(s, "HTTP/1.1 100 Continue\r\n\r\n".repeat(100))),
    "protocol",
    /more than 8 interim/,
  ],
  ["switches protocols", after("HTTP/1.1 101 Up\r\nUpgrade: x\r\n\r\n"), "protocol", /switched protocols/],
  ["closes before the request", (s) => void s.destroy(), "protocol", /closed without a response|reset/],
  ["closes after the request", after("", end), "protocol", /closed without a response/],
  ["closes in the head", after(head, end), "protocol", /in the middle of the response/],
  ["closes in the body", after(`${head}Content-Length: 100\r\n\r\nabc`, end), "protocol", /in the middle/],
  ["closes in a chunk", after(`${CHUNKED}5\r\nabc`, end), "protocol", /in the middle of the response/],
  [
    "resets after the request",
    after("", reset),
    "protocol",
    /closed without a response|reset by the receiver/,
  ],
  ["resets in the head", after(head, later(reset)), "protocol", /in the middle|reset by the receiver/],
  [
    "resets in the body",
    after(`${head}Content-Length: 100\r\n\r\nabc`, later(reset)),
    "protocol",
    /in the middle|reset by/,
  ],
  ["sends a chunk size that is none", after(`${CHUNKED}xyz\r\n`), "protocol", /chunked body is malformed/],
  [
    "sends a chunk longer than it said",
    after(`${CHUNKED}2\r\nabcd\r\n`),
    "protocol",
    /chunked body is malformed/,
  ],
  [
    "sends a chunk extension without end",
    after(`${CHUNKED}5;`, (s) => pour(s, big)),
    "protocol",
    /chunked body is/,
  ],
  [
    "sends trailers without end",
    after(`${CHUNKED}0\r\n`, (s) => pour(s, lines)),
    "protocol",
    /chunked body is malformed/,
  ],
  [
    "sends a negative length",
    after(`${head}Content-Length: -5\r\n\r\n`),
    "protocol",
    /content-length is not a number/,
  ],
  [
    "sends two lengths",
    after(`${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`),
    "protocol",
    /content-length is not/,
  ],
  ["folds a header", after(`${head}X: a\r\n b\r\n\r\n`), "protocol", /malformed header/],
  [
    "has a transfer coding of its own",
    after(`${head}Transfer-Encoding: gzip, chunked\r\n\r\n`),
    "protocol",
    /transfer encoding/,
  ],
];

if (!isInner) runIsolated(import.meta.path);
else {
  const egress = createEgress({ allow: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"] });
  afterAll(() => egress.close());

  async function postTo(serve: (socket: Socket) => void, overrides: Partial<EgressRequest> = {}) {
    const receiver = await listen(serve);
    const before = process.memoryUsage.rss();
    const outcome = await egress.post(
      aPost(`http://receiver.test:${receiver.port}/`, { timeoutMs: 700, ...overrides }),
    );
    const grownBytes = process.memoryUsage.rss() - before;
    receiver.close();
    return { outcome, grownBytes };
  }

  describe("a receiver that", () => {
    for (const [name, serve, reason, message] of MISBEHAVIOURS)
      test(`${name} is a failure: ${reason}`, async () => {
        const { outcome, grownBytes } = await postTo(serve);
        const failure = failed(outcome);
        expect(failure).toMatchObject({ reason, message: expect.stringMatching(message) });
        expect(failure.durationMs).toBeLessThan(1_500);
        expect(grownBytes).toBeLessThan(48 * MIB);
      });
  });

  describe("a body", () => {
    const piece = "x".repeat(65_536);
    test.each([
      ["that never ends", `${head}\r\n`, piece],
      ["in chunks that never ends", CHUNKED, `10000\r\n${piece}\r\n`],
      ["of a terabyte", `${head}Content-Length: 1099511627776\r\n\r\n`, piece],
    ])("%s is read up to the cap", async (_, start, again) => {
      const { outcome, grownBytes } = await postTo(after(start, (socket) => pour(socket, again)));
      const response = answered(outcome);
      expect([response.status, response.body.length, response.truncated]).toEqual([200, 20_000, true]);
      expect(grownBytes).toBeLessThan(48 * MIB);
    });

    test("of exactly the cap is whole, one byte more is not", async () => {
      for (const [length, truncated] of [
        [8, false],
        [9, true],
      ] as const) {
        const { outcome } = await postTo(after(`${head}Content-Length: ${length}\r\n\r\n12345678`), {
          responseBytesMax: 8,
        });
        expect(answered(outcome)).toMatchObject({ body: new Uint8Array(Buffer.from("12345678")), truncated });
      }
    });

    test("that is a gzip bomb is not inflated", async () => {
      const bomb = gzipSync(Buffer.alloc(64 * MIB));
      const start = `${head}Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`;
      const { outcome, grownBytes } = await postTo(after(start, (socket) => socket.write(bomb)));
      expect(Buffer.from(answered(outcome).body)).toEqual(bomb.subarray(0, 20_000));
      expect(grownBytes).toBeLessThan(48 * MIB);
    });

    test("survives arriving in any pieces", async () => {
      const wire = `HTTP/1.1 100 Continue\r\n\r\n${head}Transfer-Encoding: chunked\r\nX-A: 1\r\nx-a: 2\r\n\r\n5;e=1\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n`;
      for (const size of [1, 2, 3, 7, 40]) {
        const pieces = wire.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
        const sendPieces = (socket: Socket) => {
          const piece = pieces.shift();
          if (piece !== undefined)
            socket.setNoDelay(true).write(piece, () => setImmediate(sendPieces, socket));
        };
        const response = answered((await postTo(after("", sendPieces), { timeoutMs: 5_000 })).outcome);
        expect([text(response.body), response.headers["x-a"]]).toEqual(["hello world", "1, 2"]);
      }
    });

    test("without a length ends with the connection", async () => {
      expect(text(answered((await postTo(after(`${head}\r\nall of it`, end))).outcome).body)).toBe(
        "all of it",
      );
    });
  });

  test("a hundred exchanges with floods leave memory as it was", async () => {
    const flood = after(`${head}X: `, (socket) => pour(socket, big));
    await postTo(flood);
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 100; round++) await postTo(flood);
    Bun.gc(true);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB);
  }, 30_000);

  test.each([301, 302, 303, 307, 308])(
    "a redirect (%d) is a response and is not followed",
    async (status) => {
      let connections = 0;
      const answer = `HTTP/1.1 ${status} Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n`;
      const { outcome } = await postTo((socket) => {
        connections++;
        after(answer)(socket);
      });
      expect(answered(outcome)).toMatchObject({ status, headers: { location: "http://169.254.169.254/" } });
      expect(connections).toBe(1);
    },
  );
}
