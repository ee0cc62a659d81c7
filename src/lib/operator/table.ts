import { printable } from "./printable.ts";

/** A cell: a number stands at the right of its column, nothing is a dash. */
export type Cell = string | number | null;

/** Rows under their heads, in columns as wide as they need to be, without steering the terminal. */
export function tableText(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => row.map(cellText));
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const isNumber = heads.map((_, at) => rows.some((row) => typeof row[at] === "number"));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (isNumber[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd();
  return [heads, ...cells].map(line).join("\n");
}

function cellText(cell: Cell): string {
  if (cell === null) return "-";
  return typeof cell === "number" ? cell.toLocaleString("en", { maximumFractionDigits: 1 }) : printable(cell);
}

/** `512 B`, `1.5 kB`, `20.3 MB`, by thousands as disks are sold. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** `0.4 s`, `12 s`, `5 min`, `3 h`, `2 d`: the largest unit that there is one and a half of. */
export function secondsText(seconds: number): string {
  const units = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
  ] as const;
  const [unit, size] = units.find(([, length]) => seconds >= 1.5 * length) ?? ["s", 1];
  const amount = seconds / size;
  return `${unit === "s" && amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
}
