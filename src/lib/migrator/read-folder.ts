import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Migration } from "./plan.ts";

/** The folder's `.sql` files in order. */
export function readFolder(folder: string): Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(folder, name), "utf8") }));
}
