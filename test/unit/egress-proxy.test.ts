import { afterAll, beforeEach, expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createEgress, type Egress, parseProxy } from "../../src/lib/egress/index.ts";
import {
  answered,
  aPost,
  certificate,
  dialled,
  failed,
  isInner,
  listen,
  runIsolated,
  text,
  watchConnects,
} from "./egress-support.ts";

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";

if (!isInner) runIsolated(import.meta.path);
else {
  watchConnects();
  beforeEach(() => void dialled.splice(0));
  const opened: Egress[] = [];
  afterAll(() => {
    for (const egress of opened) egress.close();
  });

  /** Tunnels to 127.0.0.1 whatever address is asked for, so that a public one can be. */
  async function proxyWith(answer: string, tls = false) {
    const requests: string[] = [];
    const serve = (socket: Socket) =>
      void socket.once("data", (data) => {
        requests.push(data.toString());
        if (answer !== ESTABLISHED) {
          socket.end(answer);
          return;
        }
        const port = Number(/:(\d+) HTTP/.exec(data.toString())?.[1]);
        const up = connect({ host: "127.0.0.1", port }, () => {
          socket.write(answer);
          socket.pipe(up).pipe(socket);
        });
        up.on("error", () => socket.destroy());
      });
    return { requests, ...(await listen(serve, tls ? createTlsServer(certificate("ip")) : createServer())) };
  }

  function egressThrough(proxy: string): Egress {
    const egress = createEgress({ allow: [], proxy, resolve: async () => ["93.184.216.34"] });
    opened.push(egress);
    return egress;
  }

  const combinations = [
    ["http", "http"],
    ["http", "https"],
    ["https", "http"],
    ["https", "https"],
  ] as const;
  test.each(combinations)(
    "through an %s proxy to an %s URL: a tunnel to the checked address",
    async (way, scheme) => {
      const heard: string[] = [];
      const serve = (socket: Socket) =>
        void socket.on("data", (data) => {
          heard.push(data.toString());
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
      const receiver = await listen(
        serve,
        scheme === "https" ? createTlsServer(certificate("a")) : createServer(),
      );
      const proxy = await proxyWith(ESTABLISHED, way === "https");
      const egress = egressThrough(`${way}://us%40er:pass@127.0.0.1:${proxy.port}`);
      for (const _ of [1, 2])
        expect(text(answered(await egress.post(aPost(`${scheme}://a.test:${receiver.port}/x`))).body)).toBe(
          "ok",
        );
      const authority = `93.184.216.34:${receiver.port}`;
      expect(proxy.requests).toEqual([
        `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: Basic ${btoa("us@er:pass")}\r\n\r\n`,
      ]);
      expect(heard.join("")).not.toContain("Proxy-Authorization");
      expect(heard[0]).toContain(`Host: a.test:${receiver.port}\r\n`);
      expect(dialled.filter((host) => host !== "127.0.0.1")).toEqual([]);
      proxy.close();
      receiver.close();
    },
  );

  test("the certificate is checked against the URL's host inside the tunnel", async () => {
    const receiver = await listen(() => {}, createTlsServer(certificate("b")));
    const proxy = await proxyWith(ESTABLISHED);
    const egress = egressThrough(`http://127.0.0.1:${proxy.port}`);
    const failure = failed(await egress.post(aPost(`https://a.test:${receiver.port}/`)));
    expect(failure).toMatchObject({ reason: "tls", message: "the certificate is not for this host name" });
    proxy.close();
    receiver.close();
  });

  test.each(["http://10.0.0.1/", "http://[::1]/", "http://metadata.google.internal/"])(
    "%s is refused before the proxy hears of it",
    async (url) => {
      expect(failed(await egressThrough("http://127.0.0.1:1").post(aPost(url))).reason).toBe("blocked");
      expect(dialled).toEqual([]);
    },
  );

  const answers: [string, string][] = [
    ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "refused the connection (407)"],
    ["HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", "refused the connection (403)"],
    ["HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 Forged\r\n\r\n", "not valid"],
    ["garbage\r\n\r\n", "not valid"],
    ["x".repeat(40_000), "not valid"],
    ["HTTP/1.1 2", "closed the connection"],
  ];
  test.each(answers)("a proxy that answers %.30p is a connect failure", async (answer, message) => {
    const proxy = await proxyWith(answer);
    const failure = failed(
      await egressThrough(`http://127.0.0.1:${proxy.port}`).post(aPost("http://a.test/")),
    );
    expect(failure).toMatchObject({ reason: "connect", message: expect.stringContaining(message) });
    proxy.close();
  });

  test("a proxy that is not there, and one that hangs", async () => {
    const absent = failed(await egressThrough("http://127.0.0.1:1").post(aPost("http://a.test/")));
    expect(absent).toMatchObject({ reason: "connect", message: "the egress proxy can't be reached" });
    const hanging = await listen(() => {});
    const egress = egressThrough(`http://127.0.0.1:${hanging.port}`);
    expect(failed(await egress.post(aPost("http://a.test/", { timeoutMs: 150 }))).reason).toBe("timeout");
    hanging.close();
  });

  test.each(["", "proxy:3128", "socks5://proxy:1080", "http://proxy:3128/path", "http://proxy/?x"])(
    "%p is no proxy URL",
    (bad) => expect(() => parseProxy(bad)).toThrow("the proxy must be a URL such as"),
  );
}
