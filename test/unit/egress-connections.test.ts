import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createEgress, type Egress, type Resolver } from "../../src/lib/egress/index.ts";
import {
  answered,
  aPost,
  dialled,
  failed,
  isInner,
  listen,
  runIsolated,
  text,
  watchConnects,
} from "./egress-support.ts";

const respond = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Connections that Bun lets wait for a listener that does not accept, whatever it is told. */
const BACKLOG = 512;

/** Answers every request with the number of its connection. */
function counting() {
  const seen = { connections: 0, requests: [] as string[] };
  const serve = (socket: Socket) => {
    const id = ++seen.connections;
    socket.on("data", (data) => {
      seen.requests.push(data.toString());
      socket.write(respond(String(id)));
    });
  };
  return { seen, serve };
}

if (!isInner) runIsolated(import.meta.path);
else {
  watchConnects();
  beforeEach(() => void dialled.splice(0));
  const opened: Egress[] = [];
  afterAll(() => {
    for (const egress of opened) egress.close();
  });
  function toLoopback(resolve: Resolver = async () => ["127.0.0.1"]): Egress {
    const egress = createEgress({ allow: ["127.0.0.0/8", "::1/128"], resolve });
    opened.push(egress);
    return egress;
  }

  describe("what is sent", () => {
    test("is one HTTP/1.1 request: Host first, names as given, no userinfo or fragment in it", async () => {
      const { seen, serve } = counting();
      const receiver = await listen(serve);
      await toLoopback().post(
        aPost(`http://user:p%40ss@hook.test:${receiver.port}/a/b?c=d#e`, {
          headers: {
            "Content-Type": "application/json",
            "x-OWN": "é",
            Accept: "text/html",
            "Accept-Encoding": "gzip",
          },
          body: '{"é":1}',
        }),
      );
      expect(seen.requests).toEqual([
        `POST /a/b?c=d HTTP/1.1\r\nHost: hook.test:${receiver.port}\r\nAccept: */*\r\nContent-Type: application/json\r\nx-OWN: é\r\nAuthorization: Basic ${btoa("user:p@ss")}\r\nAccept-Encoding: identity\r\nContent-Length: 8\r\n\r\n{"é":1}`,
      ]);
      receiver.close();
    });

    test.each([0, 1, 70_000, 3_000_000])("is the body's bytes, %d of them", async (size) => {
      const body = new Uint8Array(size).fill(0xff);
      const hash = async (request: Request) => new Response(Bun.hash(await request.arrayBuffer()).toString());
      const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: hash });
      const outcome = await toLoopback().post(aPost(`http://hook.test:${server.port}/`, { body }));
      expect(text(answered(outcome).body)).toBe(Bun.hash(body).toString());
      await server.stop(true);
    });

    const smuggling: Record<string, string>[] = [
      { "X-A": "1\r\nX-B: 2" },
      { "X-A": "1\nX-B: 2" },
      { "X-A": "1\r" },
      { "X-A": "\0" },
      { "X-A: 1\r\nX-B": "2" },
      { "X A": "1" },
      { "": "1" },
      { "X-Ä": "1" },
      { "Content-Length": "0" },
      { "transfer-encoding": "chunked" },
      { Connection: "close" },
      { Host: "other.test" },
      { Expect: "100-continue" },
    ];
    test.each(smuggling)("is nothing when a header would change the framing: %j", async (headers) => {
      expect(failed(await toLoopback().post(aPost("http://127.0.0.1:1/", { headers }))).reason).toBe(
        "protocol",
      );
      expect(dialled).toEqual([]);
    });

    test.each([
      "http://x.test:0/",
      "https://a_b.test:1/",
      "https://a..b:1/",
      "https://*:1/",
      "https://.:1/",
      `https://${"a".repeat(300)}.test:1/`,
      `http://${"a".repeat(70_000)}/`,
      "http://[",
    ])("is nothing for odd URLs, and none makes post() throw: %.30s", async (url) => {
      const egress = toLoopback(async (host) => (host.length > 255 ? [] : ["127.0.0.1"]));
      expect(failed(await egress.post(aPost(url, { body: "\ud800" }))).message).not.toBe("");
    });
  });

  describe("keep-alive", () => {
    test("takes one host's requests over one connection", async () => {
      const { seen, serve } = counting();
      const receiver = await listen(serve);
      const egress = toLoopback();
      for (let round = 0; round < 5; round++)
        answered(await egress.post(aPost(`http://hook.test:${receiver.port}/${round}`)));
      expect([seen.connections, seen.requests.length]).toEqual([1, 5]);
      receiver.close();
    });

    test("never mixes two hosts on one address", async () => {
      const { seen, serve } = counting();
      const receiver = await listen(serve);
      const egress = toLoopback();
      for (const host of ["a.test", "b.test", "a.test"])
        answered(await egress.post(aPost(`http://${host}:${receiver.port}/`)));
      expect(seen.connections).toBe(2);
      receiver.close();
    });

    test("a connection that the receiver closes when it is used again costs one immediate retry", async () => {
      let connections = 0;
      const receiver = await listen((socket) => {
        let requests = 0;
        const id = ++connections;
        socket.on("data", () =>
          ++requests === 1 ? socket.write(respond(`${id}`)) : socket.resetAndDestroy(),
        );
      });
      const egress = toLoopback();
      for (const connection of ["1", "2"])
        expect(text(answered(await egress.post(aPost(`http://hook.test:${receiver.port}/`))).body)).toBe(
          connection,
        );
      receiver.close();
    });

    test("a fresh connection that is closed is not tried again", async () => {
      let connections = 0;
      const receiver = await listen((socket) => {
        connections++;
        socket.once("data", () => socket.destroy());
      });
      expect(failed(await toLoopback().post(aPost(`http://hook.test:${receiver.port}/`))).reason).toBe(
        "protocol",
      );
      expect(connections).toBe(1);
      receiver.close();
    });

    test("no second try once a byte of the response has come", async () => {
      let requests = 0;
      const receiver = await listen((socket) => {
        socket.on("data", () => (++requests === 1 ? socket.write(respond("1")) : socket.end("HTTP/1.1 ")));
      });
      const egress = toLoopback();
      const url = `http://hook.test:${receiver.port}/`;
      answered(await egress.post(aPost(url)));
      expect(failed(await egress.post(aPost(url))).message).toContain("in the middle of the response");
      expect(requests).toBe(2);
      receiver.close();
    });

    test.each([0, 20])(
      "bytes that come %d ms behind a response never become the next one's answer",
      async (delayMs) => {
        const forged = "HTTP/1.1 500 Forged\r\nContent-Length: 0\r\n\r\n";
        const receiver = await listen((socket) => {
          socket.once("data", () => {
            socket.write(delayMs === 0 ? respond("ok") + forged : respond("ok"));
            if (delayMs > 0) setTimeout(() => socket.write(forged), delayMs);
          });
        });
        const egress = toLoopback();
        const url = `http://hook.test:${receiver.port}/`;
        expect(answered(await egress.post(aPost(url))).status).toBe(200);
        await Bun.sleep(delayMs * 3);
        expect(answered(await egress.post(aPost(url))).status).toBe(200);
        receiver.close();
      },
    );

    test.each([
      "Connection: close\r\nContent-Length: 0\r\n\r\n",
      "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ])("ends with %j", async (rest) => {
      let connections = 0;
      const receiver = await listen((socket) => {
        connections++;
        socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\n${rest}`));
      });
      const egress = toLoopback();
      for (const _ of [1, 2]) answered(await egress.post(aPost(`http://hook.test:${receiver.port}/`)));
      expect(connections).toBe(2);
      receiver.close();
    });
  });

  describe("addresses", () => {
    test("a name is asked for once by many at a time", async () => {
      const { serve } = counting();
      const receiver = await listen(serve);
      let asked = 0;
      const egress = toLoopback(async () => {
        asked++;
        await Bun.sleep(20);
        return ["127.0.0.1"];
      });
      await Promise.all(
        Array.from({ length: 20 }, () => egress.post(aPost(`http://hook.test:${receiver.port}/`))),
      );
      expect(asked).toBe(1);
      receiver.close();
    });

    test("a refused one is followed by the next", async () => {
      const { serve } = counting();
      const receiver = await listen(serve);
      const egress = toLoopback(async () => ["::1", "127.0.0.9", "127.0.0.1"]);
      answered(await egress.post(aPost(`http://hook.test:${receiver.port}/`)));
      expect(dialled).toEqual(["::1", "127.0.0.9", "127.0.0.1"]);
      receiver.close();
    });

    test("all refused, none, a failing and a hanging resolver", async () => {
      const post = async (resolve: Resolver) =>
        failed(await toLoopback(resolve).post(aPost("http://hook.test:1/", { timeoutMs: 200 })));
      expect(await post(async () => ["127.0.0.1", "127.0.0.2"])).toMatchObject({
        reason: "connect",
        message: "connection refused",
      });
      expect(await post(async () => [])).toMatchObject({
        reason: "dns",
        message: "hook.test has no address",
      });
      expect(await post(() => Promise.reject(new Error("secret")))).toMatchObject({
        reason: "dns",
        message: "hook.test could not be resolved",
      });
      expect(await post(() => new Promise(() => {}))).toMatchObject({
        reason: "timeout",
        message: "timed out after 200 ms while resolving the name",
      });
    });

    test("one that swallows packets times out, and its socket is gone at once", async () => {
      // A full backlog of a listener that does not accept: the kernel drops what comes.
      const blocker = Bun.spawn(
        [
          process.execPath,
          "-e",
          `
          const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1" }, () => {
            console.log(server.address().port);
            setTimeout(() => { const end = Date.now() + 10_000; while (Date.now() < end); process.exit(); }, 10);
          });`,
        ],
        { stdout: "pipe" },
      );
      const { value } = await blocker.stdout.getReader().read();
      const port = Number(new TextDecoder().decode(value));
      await Bun.sleep(100);
      const fillers = Array.from({ length: BACKLOG + 100 }, () => connect({ host: "127.0.0.1", port }));
      for (const filler of fillers) filler.on("error", () => {});
      await Bun.sleep(200);
      const openFiles = () => readdirSync("/proc/self/fd").length;
      const before = openFiles();
      const outcome = await toLoopback().post(aPost(`http://hook.test:${port}/`, { timeoutMs: 150 }));
      expect(failed(outcome)).toMatchObject({
        reason: "timeout",
        message: "timed out after 150 ms while connecting",
      });
      await Bun.sleep(20);
      expect(openFiles()).toBeLessThanOrEqual(before);
      for (const filler of fillers) filler.destroy();
      blocker.kill();
    });
  });

  describe("ending early", () => {
    test("close() aborts what runs, and nothing runs afterwards", async () => {
      const receiver = await listen(() => {});
      const egress = toLoopback();
      const pending = egress.post(aPost(`http://hook.test:${receiver.port}/`));
      await Bun.sleep(30);
      egress.close();
      egress.close();
      const failure = failed(await pending);
      expect(failure.reason).toBe("aborted");
      expect(failure.durationMs).toBeLessThan(1_000);
      expect(failed(await egress.post(aPost("http://hook.test/"))).reason).toBe("aborted");
      receiver.close();
    });
  });
}
