/** The parts of a chaos run: a stage whose processes and database are killed, and clients that keep sending. */
import { withDeadline } from "../../src/lib/deadline.ts";
import { orgToken, runApp, type Service, startServe, startWorker } from "./binary.ts";
import { createClient } from "./client.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import type { Random } from "./random.ts";

/** What happened to whom, from when to when all was there again; Date.now()'s times. */
export type Fault = { kind: FaultKind; at: number; until: number };
export type FaultKind = "serve" | "worker" | "postmaster" | "backend" | "connections";
/** With a machine that is busy, and PostgreSQL that replays its log. */
const strikeMaxMs = 60_000;
export const faultKinds: readonly FaultKind[] = ["serve", "worker", "postmaster", "backend", "connections"];

export type Stage = {
  cluster: Cluster;
  serveUrl(): string;
  faults: Fault[];
  /** Processes that ended although nobody had killed them, with what they left. */
  deaths: string[];
  strike(kind: FaultKind): Promise<void>;
  /** SIGTERM to all. @returns their exit codes */
  stop(): Promise<number[]>;
  /** What all processes that ever ran have said of themselves, by message: warnings and errors. */
  complaints(): Record<string, number>;
};

/** `serve --worker` and two workers, on a PostgreSQL of their own. */
export async function startStage(random: Random, settings: Record<string, string>): Promise<Stage> {
  const cluster = await startCluster();
  const env = { DATABASE_URL: cluster.url, ...settings };
  const migrated = await runApp(["migrate"], { env });
  if (migrated.code !== 0) throw new Error(migrated.stderr);
  const ever: Service[] = [];
  const doomed = new Set<number>();
  const deaths: string[] = [];
  const faults: Fault[] = [];

  const watched = async (starting: Promise<Service>): Promise<Service> => {
    const service = await starting;
    ever.push(service);
    void service.exited.then((code) => {
      if (!doomed.has(service.pid)) deaths.push(`exit ${code}: ${service.stderr().slice(0, 2_000)}`);
    });
    return service;
  };
  const newServe = (port: number) =>
    watched(startServe({ args: ["--worker"], env: { ...env, PORT: String(port) } }));
  const newWorker = () => watched(startWorker({ env }));
  const kill = async (service: Service): Promise<void> => {
    doomed.add(service.pid);
    service.kill("SIGKILL");
    await service.exited;
  };

  let serve = await newServe(0);
  const workers = [await newWorker(), await newWorker()];
  const pause = (maxMs: number) => Bun.sleep(random.between(0, maxMs));

  const strikes: Record<FaultKind, () => Promise<void>> = {
    async serve() {
      await kill(serve);
      await pause(500);
      serve = await newServe(serve.port);
    },
    async worker() {
      const place = random.next() < 0.5 ? 0 : 1;
      await kill(workers[place] as Service);
      await pause(500);
      workers[place] = await newWorker();
    },
    async postmaster() {
      await cluster.kill();
      await pause(1_000);
      await cluster.start();
    },
    async backend() {
      await cluster.killBackend(random.next() < 0.5 ? "posthorn serve" : "posthorn worker");
    },
    async connections() {
      for (const name of ["posthorn serve", "posthorn worker"]) await cluster.cut(name);
    },
  };

  return {
    cluster,
    serveUrl: () => serve.url,
    faults,
    deaths,
    async strike(kind) {
      const fault = { kind, at: Date.now(), until: Number.POSITIVE_INFINITY };
      faults.push(fault);
      await withDeadline(strikes[kind](), strikeMaxMs).catch((error) => {
        throw new Error(`a strike at ${kind} doesn't end: ${JSON.stringify(faults.slice(-3))}`, {
          cause: error,
        });
      });
      fault.until = Date.now();
    },
    async stop() {
      const all = [serve, ...workers];
      for (const service of all) {
        doomed.add(service.pid);
        service.kill();
      }
      return Promise.all(all.map(({ exited }) => exited));
    },
    complaints() {
      const found: Record<string, number> = {};
      for (const { level, msg } of ever.flatMap((service) => service.lines())) {
        if (level === "info") continue;
        found[`${level}: ${msg}`] = (found[`${level}: ${msg}`] ?? 0) + 1;
      }
      return found;
    },
  };
}

export const chaosApp = "chaos";

/** An application with an endpoint of each name at the tally. @returns endpoints' ids by their names */
export async function createEndpoints(serveUrl: string, tallyUrl: string, names: string[]) {
  const client = createClient(serveUrl);
  await client.post("/app", { name: chaosApp, uid: chaosApp });
  const ids = new Map<string, string>();
  for (const name of names) {
    const made = await client.post<{ id: string }>(`/app/${chaosApp}/endpoint`, { url: tallyUrl + name });
    ids.set(made.id, name);
  }
  return ids;
}

export type Load = {
  /** The id that each number was accepted under. */
  accepted: Map<number, string>;
  /** Answers that were not 202, by status; 0 when there was none. */
  refused: Record<number, number>;
  /** Ids that came for a number that had another already. */
  secondIds: string[];
  /** Takes nothing new on, and resolves when every number that was begun has been accepted. */
  end(): Promise<void>;
};

/**
 * Clients that send numbers as fast as they are accepted. What fails is sent again under its idempotency key until it
 * is accepted, for a minute at most.
 */
export function startLoad(stage: Stage, sendersCount: number): Load {
  const accepted = new Map<number, string>();
  const refused: Record<number, number> = {};
  const secondIds: string[] = [];
  let next = 0;
  let ending = false;

  const send = async (n: number): Promise<number> => {
    try {
      const response = await fetch(`${stage.serveUrl()}/api/v1/app/${chaosApp}/msg`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${orgToken}`,
          "content-type": "application/json",
          "idempotency-key": `chaos-${n}`,
        },
        body: JSON.stringify({ eventType: "chaos.struck", payload: { n } }),
        signal: AbortSignal.timeout(15_000),
      });
      const body = (await response.json()) as { id: string };
      if (response.status !== 202) return response.status;
      if (accepted.has(n)) secondIds.push(body.id);
      accepted.set(n, body.id);
      return 202;
    } catch {
      return 0;
    }
  };

  const sender = async (): Promise<void> => {
    while (!ending) {
      const n = next;
      next += 1;
      const giveUpAt = performance.now() + 60_000;
      for (let status = await send(n); status !== 202; status = await send(n)) {
        refused[status] = (refused[status] ?? 0) + 1;
        if (performance.now() > giveUpAt) throw new Error(`${n} was not accepted in a minute: ${status}`);
        await Bun.sleep(25);
      }
      // The same once more, now and then: it must get the first one's id.
      if (n % 50 === 0) {
        const first = accepted.get(n);
        if ((await send(n)) === 202 && accepted.get(n) === first) secondIds.pop();
      }
    }
  };
  const senders = Promise.all(Array.from({ length: sendersCount }, sender));
  return {
    accepted,
    refused,
    secondIds,
    async end() {
      ending = true;
      await senders;
    },
  };
}
