import { defineCommand } from "citty";
import { intValue } from "../src/lib/cli-values.ts";
import { bytesText, secondsText, tableText } from "../src/lib/operator/table.ts";
import { openOperation } from "../src/operation.ts";
import { type AppQueue, type QueueStats, readQueueStats } from "../src/services/queue-stats.ts";

/** What the indexes of an empty partition take, and more. */
const emptyBytesMax = 100_000;

export default defineCommand({
  meta: {
    name: "stats",
    description:
      "Show what is going on: the queue in all and by application and endpoint, breakers, workers, rates, and how large the tables are. Reads the queue once, and changes nothing.",
  },
  args: {
    top: {
      type: "string",
      description: "So many applications and endpoints: those with most due.",
      default: "10",
    },
    minutes: { type: "string", description: "Rates over so many minutes.", default: "5" },
    json: { type: "boolean", description: "Print one JSON document." },
  },
  run({ args }) {
    const top = intValue("top", args.top, { min: 1, max: 1000 });
    const minutes = intValue("minutes", args.minutes, { min: 1, max: 1440 });
    return openOperation("stats", async ({ system }) => {
      const stats = await readQueueStats(system, { top, minutes });
      const text = args.json ? JSON.stringify(stats) : statsText(stats);
      process.stdout.write(`${text}\n`);
    });
  },
});

function statsText(stats: QueueStats): string {
  const parts = [
    overview(stats),
    section(
      "APPLICATIONS WITH MOST DUE",
      ["application", "uid", ...queueHeads],
      stats.applications,
      (row) => [row.appId, row.appUid, ...queueCells(row)],
    ),
    section(
      "ENDPOINTS WITH MOST DUE",
      ["endpoint", "application", ...queueHeads, "breaker", "url"],
      stats.endpoints,
      (row) => [
        row.endpointId,
        row.appUid ?? row.appId,
        ...queueCells(row),
        row.disabled ? "disabled" : row.breaker,
        row.url,
      ],
    ),
    section("TABLES", ["table", "size", "rows, about"], sizesOf(stats), (row) => row),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

const queueHeads = ["due", "sending", "queued", "oldest due"];
const queueCells = (row: AppQueue) => [
  row.due,
  row.sending,
  row.queued,
  row.oldestDueSeconds === null ? null : secondsText(row.oldestDueSeconds),
];

function overview({ queue, workers, breakers, rates }: QueueStats): string {
  const later = queue.queued - queue.due - queue.sending;
  const number = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 1 });
  const oldest =
    queue.oldestDueSeconds === null ? "" : `, the oldest for ${secondsText(queue.oldestDueSeconds)}`;
  const alive = workers.filter((worker) => worker.alive).length;
  return [
    `Queue     ${number(queue.due)} due${oldest}; ${number(queue.sending)} being sent; ${number(later)} later`,
    `          ${number(queue.retries)} retries, ${number(queue.bulk)} of replays, ${number(queue.abandoned)} with a lease that has run out`,
    `Breakers  ${number(breakers.failing)} endpoints fail, ${number(breakers.open)} of them get nothing for now`,
    `Workers   ${alive} alive${workers.length > alive ? `, ${workers.length - alive} not seen for a while` : ""}`,
    `Rates     ${number(rates.messages)} messages/s, ${number(rates.attempts)} attempts/s, ${number(rates.failures)} failures/s over ${rates.minutes} min`,
  ].join("\n");
}

function section<T>(
  title: string,
  heads: string[],
  rows: readonly T[],
  cells: (row: T) => Parameters<typeof tableText>[1][number],
): string {
  return rows.length === 0 ? "" : `${title}\n${tableText(heads, rows.map(cells))}`;
}

/** Tables, each with its partitions below it, but for the empty ones. */
const sizesOf = ({ tables }: QueueStats) =>
  tables.flatMap(({ name, bytes, rows, partitions }) => [
    [name, bytesText(bytes), rows],
    ...partitions
      .filter((partition) => partition.bytes > emptyBytesMax)
      .map((partition) => [`  ${partition.name}`, bytesText(partition.bytes), partition.rows]),
  ]);
