import type { Sample } from "./rounds.ts";

export type Row = {
  what: string;
  figure: string;
  /** What it is held against, measured in the same run. */
  limit: string;
  ratio: number | null;
  must: string;
  reached: boolean;
  /** Shares of a core of the generator, the receiver, the program and its PostgreSQL. */
  cpu: string;
};

type Bound = { atLeast: number } | { atMost: number };

const holds = (value: number, bound: Bound): boolean =>
  "atLeast" in bound ? value >= bound.atLeast : value <= bound.atMost;
const boundText = (bound: Bound): string => ("atLeast" in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`);

export const number = (value: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: value >= 100 ? 0 : 2 });

/** A figure as a multiple of another. */
export function ratioRow(
  what: string,
  figure: { value: number; unit: string; cpu?: Sample; note?: string },
  limit: { name: string; value: number },
  bound: Bound,
): Row {
  const ratio = figure.value / limit.value;
  return {
    what,
    figure: `${number(figure.value)} ${figure.unit}${figure.note === undefined ? "" : `; ${figure.note}`}`,
    limit: `${limit.name} ${number(limit.value)}`,
    ratio,
    must: `${boundText(bound)} ×`,
    reached: holds(ratio, bound),
    cpu: cpuText(figure.cpu),
  };
}

/** A figure that is held against a fixed one. */
export function boundRow(
  what: string,
  figure: { value: number; unit: string; cpu?: Sample; note?: string },
  atMost: number,
): Row {
  return {
    what,
    figure: `${number(figure.value)} ${figure.unit}${figure.note === undefined ? "" : `; ${figure.note}`}`,
    limit: "",
    ratio: null,
    must: `${boundText({ atMost })} ${figure.unit}`,
    reached: holds(figure.value, { atMost }),
    cpu: cpuText(figure.cpu),
  };
}

const cpuNames = ["generator", "receiver", "serve", "postgres"];
const cpuText = (sample: Sample = {}): string =>
  cpuNames.some((name) => name in sample)
    ? cpuNames.map((name) => (name in sample ? (sample[name] ?? 0).toFixed(2) : "-")).join(" ")
    : "";

export function tableText(rows: Row[]): string {
  const heads = ["", "figure", "limit", "ratio", "must reach", "reached", "cpu: gen recv app pg"];
  const cells = rows.map((row) => [
    row.what,
    row.figure,
    row.limit,
    row.ratio === null ? "" : row.ratio.toFixed(2),
    row.must,
    row.reached ? "yes" : "NO",
    row.cpu,
  ]);
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(heads), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}
