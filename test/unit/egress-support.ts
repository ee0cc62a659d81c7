/**
 * Egress tests dial, and dial out if the guard is broken. So each file runs itself once more where there is nothing but
 * loopback: in a network namespace of its own. Where that is not permitted, a watch on the connect step refuses every
 * address that is not loopback; it is on in the namespace too, and tells which addresses were dialled.
 */
import { expect, spyOn, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket, Socket as SocketClass } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  EgressFailure,
  EgressOutcome,
  EgressRequest,
  EgressResponse,
} from "../../src/lib/egress/types.ts";

const CERTIFICATES = "EGRESS_TEST_CERTIFICATES";

/** Whether this process is the inner one, whose tests are to be defined. */
export const isInner = process.env[CERTIFICATES] !== undefined;

function namespace(): string[] {
  const shell = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  for (const flag of ["-n", "-rn"]) {
    const command = ["unshare", flag, ...shell];
    try {
      if (Bun.spawnSync([...command, "true"], { stdout: "ignore", stderr: "ignore" }).exitCode === 0)
        return command;
    } catch {
      return [];
    }
  }
  return [];
}

/** Runs `file` again, isolated, with an authority of its own that its process trusts. */
export function runIsolated(file: string): void {
  test("all pass where there is only loopback", async () => {
    const folder = mkdtempSync(join(tmpdir(), "egress-"));
    try {
      makeCertificates(folder);
      const child = Bun.spawn([...namespace(), process.execPath, "test", file], {
        env: {
          ...process.env,
          [CERTIFICATES]: folder,
          NODE_EXTRA_CA_CERTS: join(folder, "authority.crt"),
          // In a namespace there may be no other user than root, as which PostgreSQL doesn't run.
          TEST_WITHOUT_POSTGRES: "1",
        },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      if (child.exitCode !== 0) throw new Error(`${out}\n${err}`);
      expect(err).toMatch(/\n 0 fail\n/);
      expect(err).not.toMatch(/\n 0 pass\n/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 120_000);
}

function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { cwd: folder, stderr: "pipe" });
    if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const newKey = (name: string) => [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    `${name}.key`,
  ];
  const selfSigned = (name: string) =>
    openssl(
      "req",
      "-x509",
      ...newKey(name),
      "-out",
      `${name}.crt`,
      "-days",
      "30",
      "-subj",
      `/CN=${name}.test`,
      "-addext",
      `subjectAltName=DNS:${name}.test`,
    );
  const signed = (name: string, names: string, authority = "authority", days = "30") => {
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}`);
    openssl("req", ...newKey(name), "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      `${authority}.crt`,
      "-CAkey",
      `${authority}.key`,
      "-CAcreateserial",
      "-days",
      days,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.crt`,
    );
  };
  for (const name of ["authority", "stranger", "self"]) selfSigned(name);
  signed("a", "DNS:a.test");
  signed("b", "DNS:b.test");
  signed("ip", "IP:127.0.0.1");
  signed("expired", "DNS:a.test", "authority", "-1");
  signed("foreign", "DNS:a.test", "stranger");
}

export type CertificateName = "a" | "b" | "ip" | "self" | "expired" | "foreign";

export function certificate(name: CertificateName): { key: string; cert: string } {
  const folder = process.env[CERTIFICATES] ?? "";
  if (!existsSync(folder)) throw new Error("only inside runIsolated");
  const read = (extension: string) => readFileSync(join(folder, `${name}.${extension}`), "utf8");
  return { key: read("key"), cert: read("crt") };
}

/** Hosts that the connect step was given; none that is not loopback gets through it after `watchConnects`. */
export const dialled: string[] = [];

export function watchConnects(): void {
  const connect = SocketClass.prototype.connect;
  spyOn(SocketClass.prototype, "connect").mockImplementation(function (this: Socket, ...args: unknown[]) {
    const first = Array.isArray(args[0]) ? args[0][0] : args[0];
    const options = typeof first === "object" && first !== null ? first : {};
    const tunnelled = "socket" in options && options.socket !== undefined;
    const host = "host" in options ? String(options.host) : String(args[1]);
    if (!tunnelled) dialled.push(host);
    if (!tunnelled && !/^(127\.\d+\.\d+\.\d+|::1)$/.test(host)) {
      this.destroy(Object.assign(new Error("not in a test"), { code: "ENETUNREACH" }));
      return this;
    }
    return Reflect.apply(connect, this, args);
  } as typeof connect);
}

/** A server on loopback that does with each connection what `serve` says. */
export async function listen(
  serve: (socket: Socket) => void,
  server: Server = createServer(),
  host = "127.0.0.1",
): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => socket.on("error", () => {}));
  server.on("tlsClientError", () => {});
  server.on("setSecureContext" in server ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A POST with overrides. */
export const aPost = (url: string, overrides: Partial<EgressRequest> = {}): EgressRequest => ({
  url,
  headers: { "Content-Type": "application/json" },
  body: "{}",
  timeoutMs: 5_000,
  responseBytesMax: 20_000,
  ...overrides,
});

export function failed(outcome: EgressOutcome): EgressFailure {
  if (outcome.kind !== "failure") throw new Error(`not a failure: ${outcome.status}`);
  return outcome;
}

export function answered(outcome: EgressOutcome): EgressResponse {
  if (outcome.kind !== "response") throw new Error(`not a response: ${outcome.reason}, ${outcome.message}`);
  return outcome;
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
