import { idBound } from "../lib/ids.ts";
import type { QueueCounts, QueueRow, RelationSize, WorkerSeen } from "../repos/inspection.ts";
import type { OperatorContext } from "./context.ts";
import { weekStart } from "./partitions.ts";

const workerAliveSeconds = 10;

/** A worker that was not seen for longer is dead, or cut off. */
export const isAlive = ({ seenSecondsAgo }: WorkerSeen): boolean => seenSecondsAgo <= workerAliveSeconds;

type Labelled<K extends keyof QueueRow> = QueueCounts & Pick<QueueRow, K>;
export type AppQueue = Labelled<"orgId" | "appId" | "appUid">;
export type EndpointQueue = AppQueue &
  Labelled<"endpointId" | "endpointUid" | "url" | "disabled" | "breaker">;

export type QueueStats = {
  queue: QueueCounts;
  applications: AppQueue[];
  endpoints: EndpointQueue[];
  breakers: { failing: number; open: number };
  workers: (WorkerSeen & { alive: boolean })[];
  /** Over the last minutes, per second. */
  rates: { minutes: number; messages: number; attempts: number; failures: number };
  tables: (Omit<RelationSize, "parent"> & { partitions: Omit<RelationSize, "parent">[] })[];
};

/** What an installation is doing now. @param top so many applications and endpoints, those with most due */
export async function readQueueStats(
  { repos: { inspection } }: OperatorContext,
  { top, minutes }: { top: number; minutes: number },
): Promise<QueueStats> {
  const since = new Date(Date.now() - minutes * 60_000);
  const rows = await inspection.queue(top);
  const messages = await inspection.countMessages(idBound("msg_", since));
  const attempts = await inspection.countAttempts(
    idBound("atmpt_", since),
    idBound("atmpt_", weekStart(since)),
  );
  const perSecond = (count: number) => count / (minutes * 60);
  const workers = await inspection.workers();
  return {
    queue: countsOf(rows.find(({ appId }) => appId === null)),
    applications: rows.filter((row) => row.appId !== null && row.endpointId === null).map(appQueue),
    endpoints: rows
      .filter(({ endpointId }) => endpointId !== null)
      .map((row) => {
        const { endpointId, endpointUid, url, disabled, breaker } = row;
        return { ...appQueue(row), endpointId, endpointUid, url, disabled, breaker };
      }),
    breakers: await inspection.breakers(),
    workers: workers.map((one) => ({ ...one, alive: isAlive(one) })),
    rates: {
      minutes,
      messages: perSecond(messages),
      attempts: perSecond(attempts.made),
      failures: perSecond(attempts.failed),
    },
    tables: tablesOf(await inspection.sizes()),
  };
}

const countsOf = (row: QueueRow | undefined): QueueCounts => ({
  queued: row?.queued ?? 0,
  due: row?.due ?? 0,
  sending: row?.sending ?? 0,
  retries: row?.retries ?? 0,
  bulk: row?.bulk ?? 0,
  abandoned: row?.abandoned ?? 0,
  oldestDueSeconds: row?.oldestDueSeconds ?? null,
});

const appQueue = (row: QueueRow): AppQueue => ({
  orgId: row.orgId,
  appId: row.appId,
  appUid: row.appUid,
  ...countsOf(row),
});

/** Partitions under their tables, a table with the sums of its partitions; with one unknown, so is the sum. */
function tablesOf(relations: RelationSize[]): QueueStats["tables"] {
  const byTable = Map.groupBy(relations, ({ name, parent }) => parent ?? name);
  const tables = [...byTable].map(([name, own]) => ({
    name,
    bytes: own.reduce((sum, one) => sum + one.bytes, 0),
    rows: own.reduce<number | null>(
      (sum, { rows }) => (sum === null || rows === null ? null : sum + rows),
      0,
    ),
    partitions: own
      .filter(({ parent }) => parent !== null)
      .map(({ parent: _, ...partition }) => partition)
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  }));
  return tables.toSorted((one, other) => other.bytes - one.bytes);
}
