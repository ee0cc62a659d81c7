import { afterAll, beforeEach, expect, spyOn, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { createEgress, type Egress, type Resolver } from "../../src/lib/egress/index.ts";
import {
  answered,
  aPost,
  dialled,
  failed,
  isInner,
  listen,
  runIsolated,
  watchConnects,
} from "./egress-support.ts";

if (!isInner) runIsolated(import.meta.path);
else {
  watchConnects();
  beforeEach(() => void dialled.splice(0));
  const opened: Egress[] = [];
  afterAll(() => {
    for (const egress of opened) egress.close();
  });
  function egressWith(allow: string[], resolve?: Resolver): Egress {
    const egress = createEgress({ allow, ...(resolve === undefined ? {} : { resolve }) });
    opened.push(egress);
    return egress;
  }
  const serveOk = (requests: string[]) => (socket: Socket) =>
    void socket.on("data", (data) => {
      requests.push(data.toString());
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });

  const blocked: [string, string[]][] = [
    ["a private address", ["10.0.0.1"]],
    ["loopback", ["127.0.0.1"]],
    ["IPv6 loopback", ["::1"]],
    ["a mapped private address", ["::ffff:192.168.1.1"]],
    ["the metadata address", ["169.254.169.254"]],
    ["a zone id", ["fe80::1%lo"]],
    [
      "several addresses of which the last is private",
      ["93.184.216.34", "2606:2800:21f:cb07::1", "172.16.0.1"],
    ],
    ["what is no address", ["internal.test"]],
  ];
  test.each(blocked)("a name that resolves to %s is blocked; nothing is dialled", async (_, addresses) => {
    const failure = failed(await egressWith([], async () => addresses).post(aPost("http://hook.test/")));
    expect(failure.reason).toBe("blocked");
    expect(failure.message).toStartWith("blocked: ");
    expect(dialled).toEqual([]);
  });

  test.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::a00:1]/",
    "https://u@0/",
    "http://169.254.169.254/latest",
  ])("the literal %s is blocked without asking DNS", async (url) => {
    let asked = 0;
    const egress = egressWith([], async () => [`${asked++}`]);
    expect(failed(await egress.post(aPost(url))).reason).toBe("blocked");
    expect([asked, dialled]).toEqual([0, []]);
  });

  test("localhost, as the system resolves it, is blocked", async () => {
    expect(failed(await egressWith([]).post(aPost("http://localhost:9/"))).reason).toBe("blocked");
    expect(dialled).toEqual([]);
  });

  test("the address that was checked is dialled: a name is not resolved again for the connection", async () => {
    const receiver = await listen(serveOk([]), createServer(), "127.0.0.2");
    let asked = 0;
    const egress = egressWith(["127.0.0.0/8"], async () => (asked++ === 0 ? ["127.0.0.2"] : ["10.0.0.1"]));
    answered(await egress.post(aPost(`http://rebind.test:${receiver.port}/`)));
    expect([asked, dialled]).toEqual([1, ["127.0.0.2"]]);
    receiver.close();
  });

  test("a public address is dialled as it was checked", async () => {
    const failure = failed(
      await egressWith([], async () => ["93.184.216.34"]).post(aPost("http://hook.test/")),
    );
    expect(failure).toMatchObject({ reason: "connect", message: "network unreachable" });
    expect(dialled).toEqual(["93.184.216.34"]);
  });

  const later: [string, string[], string][] = [
    ["denied", ["10.0.0.1"], "blocked"],
    ["another", ["127.0.0.3"], "connect"],
  ];
  test.each(later)(
    "a name that turns to a %s address is followed there, even with a connection open",
    async (_, next, reason) => {
      const requests: string[] = [];
      const receiver = await listen(serveOk(requests));
      let addresses = ["127.0.0.1"];
      const egress = egressWith(["127.0.0.0/8"], async () => addresses);
      const url = `http://rebind.test:${receiver.port}/`;
      answered(await egress.post(aPost(url)));
      addresses = next;
      const now = performance.now.bind(performance);
      const clock = spyOn(performance, "now").mockImplementation(() => now() + 11_000);
      const outcome = await egress.post(aPost(url));
      clock.mockRestore();
      expect(failed(outcome).reason).toMatch(reason);
      expect(requests.length).toBe(1);
      receiver.close();
    },
  );
}
