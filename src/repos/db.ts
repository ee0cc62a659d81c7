import type { ExtractTablesWithRelations } from "drizzle-orm";
import { asc, type Column, desc, eq, gt, lt, type SQL } from "drizzle-orm";
import type { PgTransaction } from "drizzle-orm/pg-core";
import { drizzle, type PostgresJsDatabase, type PostgresJsQueryResultHKT } from "drizzle-orm/postgres-js";
import type { Sql } from "postgres";
import type { PageRequest } from "../lib/pagination.ts";

type Schema = Record<string, never>;

export type Db = PostgresJsDatabase<Schema>;
export type Tx = PgTransaction<PostgresJsQueryResultHKT, Schema, ExtractTablesWithRelations<Schema>>;

/** Takes the client over: drizzle changes its date parsers, so raw queries belong on another one. */
export const createDb = (client: Sql): Db => drizzle(client);

/** The condition and the order of one keyset page over `key`. */
export function keyset(key: Column, request: PageRequest): { past: SQL | undefined; order: SQL } {
  const past =
    request.cursor === null ? undefined : (request.scan === "ascending" ? gt : lt)(key, request.cursor);
  return { past, order: (request.scan === "ascending" ? asc : desc)(key) };
}

/** The row that a path names by id or by uid; the two can't be confused, since no uid may start with its id's prefix. */
export const named = (ref: string, prefix: string, columns: { id: Column; uid: Column }): SQL =>
  eq(ref.startsWith(prefix) ? columns.id : columns.uid, ref);
