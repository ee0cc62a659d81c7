import { join } from "node:path";
import type { Migration } from "./plan.ts";
import { readFolder } from "./read-folder.ts";

/**
 * A macro (`with { type: "macro" }`): runs when the importing file is bundled, or loaded from source, and leaves
 * the files' text in its place.
 * @param folder from the top of the project.
 */
export function inlineMigrations(folder: string): Migration[] {
  return readFolder(join(import.meta.dir, "../../..", folder));
}
