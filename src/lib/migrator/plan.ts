import { createHash } from "node:crypto";

/** A file of the migrations folder; `name` is the file's: `0001_initial.sql`. */
export type Migration = { name: string; sql: string };

export type AppliedMigration = { name: string; checksum: string; appliedAt: Date };

/** Ours and the database's, side by side. `unknown`: applied by a release that has more files than this one. */
export type MigrationState = {
  name: string;
  state: "applied" | "pending" | "changed" | "unknown";
  appliedAt: Date | null;
};

/** The migrations and the database don't fit together, and only a person can say what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** Line ends don't count: Git may have turned them. */
export function checksum(migration: Migration): string {
  return createHash("sha256").update(migration.sql.replaceAll("\r\n", "\n")).digest("hex");
}

/** @throws MigrationError unless the names are `0001_…`, `0002_…` and so on, none twice. */
function checkNames(migrations: Migration[]): void {
  for (const [index, { name }] of migrations.entries()) {
    const number = /^(\d{4})_[a-z0-9_-]+\.sql$/.exec(name)?.[1];
    const expected = String(index + 1).padStart(4, "0");
    if (number !== expected) {
      throw new MigrationError(`migration ${name} stands where one named ${expected}_….sql is expected`);
    }
  }
}

export function compare(migrations: Migration[], applied: AppliedMigration[]): MigrationState[] {
  const rows = new Map(applied.map((row) => [row.name, row]));
  const ours = migrations.map((migration): MigrationState => {
    const row = rows.get(migration.name);
    rows.delete(migration.name);
    if (!row) return { name: migration.name, state: "pending", appliedAt: null };
    const state = row.checksum === checksum(migration) ? "applied" : "changed";
    return { name: migration.name, state, appliedAt: row.appliedAt };
  });
  const theirs = [...rows.values()].map(
    ({ name, appliedAt }): MigrationState => ({ name, state: "unknown", appliedAt }),
  );
  return [...ours, ...theirs].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The migrations to apply, in order. Unknown ones after all of ours are a newer release's: expand-first
 * migrations keep this release running on them.
 * @throws MigrationError when an applied file was changed, or a pending one stands before an applied one, or an
 * unknown one stands among ours.
 */
export function planUp(migrations: Migration[], applied: AppliedMigration[]): Migration[] {
  checkNames(migrations);
  const states = compare(migrations, applied);
  const changed = states.find(({ state }) => state === "changed");
  if (changed) {
    throw new MigrationError(
      `migration ${changed.name} was changed after it was applied: restore it, and put the change into a new file`,
    );
  }
  const last = migrations.at(-1)?.name ?? "";
  const foreign = states.find(({ name, state }) => state === "unknown" && name < last);
  if (foreign) {
    throw new MigrationError(`the database has migration ${foreign.name}, which this release doesn't know`);
  }
  const firstPending = states.findIndex(({ state }) => state === "pending");
  const later =
    firstPending === -1 ? undefined : states.slice(firstPending).find(({ state }) => state !== "pending");
  if (later) {
    throw new MigrationError(
      `migration ${states[firstPending]?.name} isn't applied, but ${later.name} after it is`,
    );
  }
  const pending = new Set(states.filter(({ state }) => state === "pending").map(({ name }) => name));
  return migrations.filter(({ name }) => pending.has(name));
}
