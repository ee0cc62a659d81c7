import type { Migration } from "./lib/migrator/index.ts";
import { inlineMigrations } from "./lib/migrator/inline.ts" with { type: "macro" };

/** The files of `migrations/`, in order; in the executable they are part of it. */
export const migrations: Migration[] = inlineMigrations("migrations");
