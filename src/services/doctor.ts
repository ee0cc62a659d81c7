import type { Sql } from "postgres";
import { errorSentence } from "../lib/cli-errors.ts";
import { checkSchema } from "../lib/migrator/index.ts";
import { bytesText, secondsText } from "../lib/operator/table.ts";
import { migrations } from "../migrations.ts";
import type { Overdue } from "../repos/inspection.ts";
import type { OperatorContext } from "./context.ts";
import { missingPartitions, partitionsAhead } from "./partitions.ts";
import { isAlive } from "./queue-stats.ts";

/** One thing that was looked at. `fail`: something doesn't work, or can't be relied on. */
export type Finding = {
  check: string;
  state: "ok" | "warn" | "fail";
  found: string;
  /** What to do about it; null when all is well. */
  advice: string | null;
};

export type Patient = OperatorContext & {
  /** Past a pooler. */
  direct: Sql;
  /** The ids of the keys that this process can open secrets with, the first the one that seals. */
  keyIds: readonly string[];
  /** No DATABASE_URL: serve is the only worker. */
  embedded: boolean;
};

/** The same while it is examined: what costs something is looked at once. */
type Examined = Patient & { overdue: () => Promise<Overdue> };

const versionMin = 14;
const dayMs = 86_400_000;
const skewWarnMs = 2_000;
const skewFailMs = 60_000;
const connectionsWarnShare = 0.8;
/** A worker that died is replaced within seconds, if there is another. */
const workerLostSeconds = 60;
const overdueSeconds = 300;
/** The rarest schedule runs every hour. */
const scheduleLateSeconds = 2 * 3600;
const taskLateSeconds = 600;
const transactionLongSeconds = 600;
const diskWarnShare = 0.1;
const diskFailShare = 0.02;

const ok = (found: string) => ({ state: "ok" as const, found, advice: null });
const warn = (found: string, advice: string) => ({ state: "warn" as const, found, advice });
const fail = (found: string, advice: string) => ({ state: "fail" as const, found, advice });
type Verdict = Omit<Finding, "check">;

/** What delivers and runs what is to be done in the background. */
const starting = ({ embedded }: Patient) =>
  `Start ${embedded ? "app serve" : "app worker, or app serve --worker"}`;
const startOrLook = (patient: Patient) => `${starting(patient)}, or look into its logs.`;

/** What must hold before anything else can be asked. */
const vital: Record<string, (patient: Patient) => Promise<Verdict>> = {
  async version({ repos }) {
    const { version, inRecovery } = await repos.inspection.server();
    if (inRecovery) return fail("the server is a standby", "Point DATABASE_URL at the primary.");
    const major = Number.parseInt(version, 10);
    if (major < versionMin) return fail(`PostgreSQL ${version}`, `Use PostgreSQL ${versionMin} or newer.`);
    return ok(`PostgreSQL ${version}`);
  },

  async schema({ direct }) {
    const found = await checkSchema({ sql: direct, migrations });
    if (found === "ok") return ok("as this release has it");
    const { behind, changed, ahead } = found;
    if (changed.length > 0) {
      return fail(
        `changed after they were applied: ${changed.join(", ")}`,
        "Run the release that applied them.",
      );
    }
    if (behind.length > 0) return fail(`missing ${behind.join(", ")}`, "Run app migrate.");
    return ok(`newer than this release, which goes on working: ${ahead.join(", ")}`);
  },
};

const checks: Record<string, (patient: Examined) => Promise<Verdict>> = {
  async durability({ repos }) {
    const settings = await repos.inspection.settings();
    const off = Object.entries(settings).flatMap(([name, value]) => (value === "off" ? [name] : []));
    if (off.length === 0) return ok("a commit is on disk when it is acknowledged");
    return fail(
      `${off.join(", ")} off`,
      "Switch it on: a crash loses messages that were answered with a 202.",
    );
  },

  async clock({ repos }) {
    const before = Date.now();
    const { clockMs } = await repos.inspection.server();
    const after = Date.now();
    // Anything between the two is no difference.
    const skewMs = Math.max(clockMs - after, before - clockMs, 0);
    const found = `the database's and this machine's are ${secondsText(skewMs / 1000)} apart`;
    if (skewMs < skewWarnMs) return ok(found);
    const advice = "Synchronise the clocks (NTP): retries, tokens and signatures go by them.";
    return skewMs < skewFailMs ? warn(found, advice) : fail(found, advice);
  },

  async connections({ repos }) {
    const { connections, connectionsMax } = await repos.inspection.server();
    const found = `${connections} of ${connectionsMax} in use`;
    if (connections < connectionsMax * connectionsWarnShare) return ok(found);
    return warn(found, "Raise max_connections, or put a pooler in front: a process takes up to 21.");
  },

  async transactions({ repos }) {
    const oldest = await repos.inspection.oldestTransaction();
    if (oldest === null || oldest.seconds < transactionLongSeconds) return ok("none is open for long");
    const { pid, application, seconds } = oldest;
    return warn(
      `${application || "somebody"} (pid ${pid}) has had one open for ${secondsText(seconds)}`,
      `End it: meanwhile the queue can't be vacuumed and grows slow. select pg_terminate_backend(${pid})`,
    );
  },

  async partitions({ repos }) {
    const now = Date.now();
    const until = (days: number) => ({ from: new Date(now - dayMs), to: new Date(now + days * dayMs) });
    const advice = "Run app migrate, and look why no worker has made them: it is one of their schedules.";
    const current = await missingPartitions(repos, until(1));
    if (current.length > 0) return fail(`missing for now: ${current.join(", ")}`, advice);
    const soon = await missingPartitions(repos, until(14));
    if (soon.length > 0) return warn(`missing for the next weeks: ${soon.join(", ")}`, advice);
    const ahead = await missingPartitions(repos, partitionsAhead(new Date()));
    return ok(ahead.length === 0 ? "made for the weeks to come" : "made for two weeks to come");
  },

  async workers(patient) {
    const [workers, { due }] = [await patient.repos.inspection.workers(), await patient.overdue()];
    const alive = workers.filter(isAlive).length;
    if (alive === 0) {
      const advice = `${starting(patient)}.`;
      return due > 0
        ? fail(`none is alive, and ${due} deliveries are due`, advice)
        : warn("none is alive", advice);
    }
    const lost = workers.filter(({ seenSecondsAgo }) => seenSecondsAgo > workerLostSeconds).length;
    if (lost === 0) return ok(`${alive} alive`);
    return warn(
      `${alive} alive; ${lost} not seen for over ${secondsText(workerLostSeconds)}, and what they held was not taken over`,
      "Look into the logs of those that are alive.",
    );
  },

  async queue({ overdue }) {
    const { due, sending, endpoints, oldestSeconds } = await overdue();
    if (endpoints === 0 || oldestSeconds === null) return ok(`nothing waits that could be sent (${due} due)`);
    const found = `${endpoints} endpoints have waited for up to ${secondsText(oldestSeconds)} and nothing is being sent to them`;
    return sending === 0
      ? fail(`${found}, nor to anybody else`, "Look into the workers' logs; restart them.")
      : warn(
          found,
          "The workers can't keep up: start more, or raise DELIVERY_CONCURRENCY. app ops stats has more.",
        );
  },

  async breakers({ repos }) {
    const { failing, open } = await repos.inspection.breakers();
    if (open === 0) return ok(`none is open (${failing} endpoints fail)`);
    return warn(
      `${open} endpoints only fail, and get a single delivery now and then until one succeeds`,
      "Look into their attempts, and tell whose they are. app ops stats shows what waits for them.",
    );
  },

  async leases(patient) {
    const { abandoned } = await patient.overdue();
    if (abandoned === 0) return ok("none has run out");
    return warn(`${abandoned} have run out and nobody has taken over`, startOrLook(patient));
  },

  async schedules(patient) {
    const late = (await patient.repos.inspection.schedules()).flatMap(({ name, seconds }) => {
      if (seconds === null) return [`${name} failed`];
      return seconds > scheduleLateSeconds ? [`${name} ran ${secondsText(seconds)} ago`] : [];
    });
    if (late.length === 0) return ok("none is late");
    return warn(late.join(", "), startOrLook(patient));
  },

  async tasks(patient) {
    const { tasks, backfills } = await patient.repos.inspection.idleTasks(taskLateSeconds);
    if (tasks > 0) return warn(`${tasks} have not moved for a while`, startOrLook(patient));
    if (backfills === 0) return ok("none stands still");
    return warn(
      `${backfills} backfills were interrupted`,
      "Run the same app ops backfill again, or cancel their tasks over the API.",
    );
  },

  async secrets({ repos, keyIds }) {
    const counts = await repos.inspection.secretsByKey();
    const sum = (wanted: (keyId: string | null) => boolean) =>
      counts.reduce((total, { keyId, secrets }) => total + (wanted(keyId) ? secrets : 0), 0);
    const lost = sum((keyId) => keyId !== null && !keyIds.includes(keyId));
    if (lost > 0) {
      return fail(
        `${lost} are encrypted with a key that is not in ENCRYPTION_KEY`,
        "Add that key: nothing can be signed for their endpoints.",
      );
    }
    const [current] = keyIds;
    if (current === undefined) {
      return warn("stored in the clear", "Set ENCRYPTION_KEY everywhere, then run app ops rotate-secret.");
    }
    const other = sum((keyId) => keyId !== current);
    if (other === 0) return ok("encrypted with the first of ENCRYPTION_KEY");
    return warn(
      `${other} are stored in the clear or with an older key`,
      "Run app ops rotate-secret; its help has the steps.",
    );
  },
};

/** Looks at everything that a database can tell, in order; past a vital fault at nothing more. Changes nothing. */
export async function* diagnose(patient: Patient): AsyncGenerator<Finding> {
  for (const [check, look] of Object.entries(vital)) {
    const finding = await examine(check, look, patient);
    yield finding;
    if (finding.state === "fail") return;
  }
  let reading: Promise<Overdue> | null = null;
  const overdue = () => {
    reading ??= patient.repos.inspection.overdue(overdueSeconds);
    return reading;
  };
  for (const [check, look] of Object.entries(checks)) {
    yield await examine(check, look, { ...patient, overdue });
  }
}

async function examine<P>(
  check: string,
  look: (patient: P) => Promise<Verdict>,
  patient: P,
): Promise<Finding> {
  try {
    return { check, ...(await look(patient)) };
  } catch (error) {
    return { check, ...fail(errorSentence(error), "Look into the database's log.") };
  }
}

/** Whether embedded PostgreSQL has room. Bytes. */
export function diskFinding({ free, total }: { free: number; total: number }): Finding {
  const found = `${bytesText(free)} of ${bytesText(total)} free`;
  const advice = "Make room: PostgreSQL stops when the disk is full. app ops stats says what is large.";
  const share = free / total;
  if (share >= diskWarnShare) return { check: "disk", ...ok(found) };
  return { check: "disk", ...(share >= diskFailShare ? warn(found, advice) : fail(found, advice)) };
}
