import { afterAll, describe, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { createSecureContext, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { createEgress } from "../../src/lib/egress/index.ts";
import {
  answered,
  aPost,
  type CertificateName,
  certificate,
  failed,
  isInner,
  listen,
  runIsolated,
} from "./egress-support.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ok = (socket: Socket) => void socket.on("data", () => socket.write(OK));

if (!isInner) runIsolated(import.meta.path);
else {
  const egress = createEgress({ allow: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"] });
  afterAll(() => egress.close());

  const refused: [string, CertificateName, string, string][] = [
    ["a self-signed certificate", "self", "self.test", "self-signed"],
    ["an expired certificate", "expired", "a.test", "has expired"],
    ["a certificate for another name", "a", "other.test", "not for this host name"],
    ["a certificate of an unknown authority", "foreign", "a.test", "issuer is not known"],
    ["a certificate for a name where an address is called", "a", "127.0.0.1", "not for this host name"],
  ];
  test.each(refused)("%s is refused, and nothing is sent", async (_, chosen, host, message) => {
    let received = 0;
    const receiver = await listen(
      (socket) => socket.on("data", () => received++),
      createTlsServer(certificate(chosen)),
    );
    const failure = failed(await egress.post(aPost(`https://${host}:${receiver.port}/`)));
    expect(failure).toMatchObject({ reason: "tls", message: expect.stringContaining(message) });
    await Bun.sleep(20);
    expect(received).toBe(0);
    receiver.close();
  });

  test("a certificate for the called address is accepted", async () => {
    const receiver = await listen(ok, createTlsServer(certificate("ip")));
    expect(answered(await egress.post(aPost(`https://127.0.0.1:${receiver.port}/`))).status).toBe(200);
    receiver.close();
  });

  test("NODE_TLS_REJECT_UNAUTHORIZED does not open it", async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    const receiver = await listen(ok, createTlsServer(certificate("self")));
    const outcome = await egress.post(aPost(`https://self.test:${receiver.port}/`));
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    receiver.close();
    expect(failed(outcome).reason).toBe("tls");
  });

  describe("a handshake", () => {
    test("that is answered in plain HTTP is a TLS failure", async () => {
      const receiver = await listen(ok);
      expect(failed(await egress.post(aPost(`https://a.test:${receiver.port}/`))).reason).toBe("tls");
      receiver.close();
    });
    test("that is cut is a TLS failure", async () => {
      const receiver = await listen((socket) => socket.once("data", () => socket.destroy()));
      const failure = failed(await egress.post(aPost(`https://a.test:${receiver.port}/`)));
      expect(failure).toMatchObject({
        reason: "tls",
        message: "the connection was closed during the TLS handshake",
      });
      receiver.close();
    });
    test("that hangs is a timeout", async () => {
      const receiver = await listen(() => {});
      const failure = failed(
        await egress.post(aPost(`https://a.test:${receiver.port}/`, { timeoutMs: 200 })),
      );
      expect(failure).toMatchObject({
        reason: "timeout",
        message: "timed out after 200 ms while connecting",
      });
      receiver.close();
    });
  });

  test("two hosts on one address never share a connection, and each gets its own TLS name and Host", async () => {
    const names: unknown[] = [];
    const hosts: Set<string>[] = [];
    const server = createTlsServer({
      ...certificate("a"),
      SNICallback: (name, done) =>
        done(null, createSecureContext(certificate(name === "b.test" ? "b" : "a"))),
    });
    const receiver = await listen((socket) => {
      const mine = new Set<string>();
      socket.on("data", (data) => {
        if (mine.size === 0) {
          hosts.push(mine);
          names.push((socket as TLSSocket & { servername?: string }).servername);
        }
        mine.add(/Host: (\S+):/.exec(data.toString())?.[1] ?? "");
        socket.write(OK);
      });
    }, server);
    for (const host of ["a.test", "b.test", "a.test", "b.test"])
      expect(answered(await egress.post(aPost(`https://${host}:${receiver.port}/`))).status).toBe(200);
    // A name without a certificate gets none of the open connections.
    expect(failed(await egress.post(aPost(`https://c.test:${receiver.port}/`))).reason).toBe("tls");
    expect(hosts.map((set) => [...set])).toEqual([["a.test"], ["b.test"]]);
    expect(names).toEqual(["a.test", "b.test"]);
    receiver.close();
  });
}
