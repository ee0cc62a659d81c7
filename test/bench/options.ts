import { parseArgs } from "node:util";

export const groupNames = [
  "accept",
  "e2e",
  "fanout",
  "steady",
  "hang",
  "backlog",
  "history",
  "workers",
  "memory",
  "idle",
  "start",
] as const;
export type GroupName = (typeof groupNames)[number];

export type Options = {
  only: GroupName[];
  rounds: number;
  /** A measurement's. */
  seconds: number;
  limitSeconds: number;
  /** Long enough for timeouts to pass and for the breaker to open. */
  hangSeconds: number;
  hang: "hang" | "stall";
  idleSeconds: number;
  /** Due deliveries of the dead endpoint. */
  backlog: number;
  /** Messages of the long history and of the short. */
  history: number;
  historyShort: number;
  binary: string | null;
  json: string | null;
};

export const usage = `bun run bench [flags]            the table; about an hour, 20 GB of disk
bun run bench --quick            the same in small, about 3 minutes: for the bench's own sake, not for figures
bun run bench runner|egress|floor|lists [arguments]

  --only ${groupNames.join(",")}
  --rounds 3          alternating rounds, of which the medians are taken
  --seconds 10        a measurement's
  --limit-seconds 5   a limit's
  --hang-seconds 40   of the hanging endpoint's: past the delivery timeout
  --hang hang|stall   never an answer, or a head and no end of a body
  --idle-seconds 60   of the idle process
  --backlog 1000000   due deliveries of the dead endpoint
  --history 10000000  messages of the long history (the short one: --history-short 10000)
  --binary PATH       instead of building one
  --json PATH         writes the rows there, too
TMPDIR says where the data goes.`;

/** @throws Error with a sentence about what is wrong */
export function readOptions(args: string[]): Options {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: text,
      rounds: text,
      seconds: text,
      "limit-seconds": text,
      "hang-seconds": text,
      hang: text,
      "idle-seconds": text,
      backlog: text,
      history: text,
      "history-short": text,
      binary: text,
      json: text,
    },
  });
  const count = (name: keyof typeof values, normal: number, quick: number): number => {
    const given = values[name];
    const value =
      given === undefined ? (values.quick ? quick : normal) : Number(String(given).replaceAll("_", ""));
    if (!(value > 0) || value > 100_000_000) throw new Error(`--${name} is a number above 0`);
    return value;
  };
  const only = values.only?.split(",") ?? [...groupNames];
  const unknown = only.filter((name) => !groupNames.includes(name as GroupName));
  if (unknown.length > 0) throw new Error(`--only knows ${groupNames.join(", ")}; not ${unknown.join(", ")}`);
  const hang = values.hang ?? "hang";
  if (hang !== "hang" && hang !== "stall") throw new Error("--hang is hang or stall");
  return {
    only: groupNames.filter((name) => only.includes(name)),
    rounds: count("rounds", 3, 1),
    seconds: count("seconds", 10, 2),
    limitSeconds: count("limit-seconds", 5, 1),
    hangSeconds: count("hang-seconds", 40, 4),
    hang,
    idleSeconds: count("idle-seconds", 60, 12),
    backlog: count("backlog", 1_000_000, 100_000),
    history: count("history", 10_000_000, 100_000),
    historyShort: count("history-short", 10_000, 1_000),
    binary: values.binary ?? null,
    json: values.json ?? null,
  };
}
