import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** The tables that are partitioned by the time in their ids. */
export const partitionedTables = ["messages", "attempts", "attempt_counts"] as const;
export type PartitionedTable = (typeof partitionedTables)[number];

/** `attached`: part of its table. `pending`: a detach was cut short and has to be finished. */
export type Partition = { name: string; state: "attached" | "pending" | "detached" };

export type PartitionSpec = { table: PartitionedTable; name: string; fromId: string; toId: string };

/** Names and bounds go into DDL, which takes no parameters. */
const identifier = (name: string) => {
  if (!/^[a-z_]+_\d{8}$/.test(name)) throw new TypeError(`not a partition: ${name}`);
  return sql.identifier(name);
};
const bound = (id: string) => {
  if (!/^[a-z]+_[0-9A-Za-z]{27}$/.test(id)) throw new TypeError(`not an id: ${id}`);
  return sql.raw(`'${id}'`);
};

export function createPartitionsRepo(db: Db | Tx) {
  return {
    /** Every partition of these tables, also one that is detached and not dropped yet. Reads the catalogue only. */
    async list(): Promise<Partition[]> {
      const rows = await db.execute<Partition>(sql`
        select c.relname as name,
               case when i.inhrelid is null then 'detached'
                    when i.inhdetachpending then 'pending'
                    else 'attached' end as state
        from pg_class c
        left join pg_inherits i on i.inhrelid = c.oid
        where c.relnamespace = (select relnamespace from pg_class where oid = 'messages'::regclass)
          and c.relkind = 'r' and c.relname ~ ${`^(${partitionedTables.join("|")})_[0-9]{8}$`}
        order by c.relname`);
      return [...rows];
    },

    /** Held until the transaction ends: makers of partitions go one at a time. */
    async lock(): Promise<void> {
      await db.execute(sql`select pg_advisory_xact_lock(hashtext('posthorn:partitions'))`);
    },

    /**
     * Made beside its table and then attached, which lets reads and inserts go on; `create … partition of` would stop
     * both. Belongs in a transaction that has the lock.
     */
    async create({ table, name, fromId, toId }: PartitionSpec): Promise<void> {
      const [partition, parent] = [identifier(name), sql.identifier(table)];
      await db.execute(sql`create table if not exists ${partition} (like ${parent} including all)`);
      await db.execute(
        sql`alter table ${parent} attach partition ${partition} for values from (${bound(fromId)}) to (${bound(toId)})`,
      );
    },

    /** Lets reads and inserts go on; can't run in a transaction. */
    async detach(table: PartitionedTable, name: string): Promise<void> {
      await db.execute(
        sql`alter table ${sql.identifier(table)} detach partition ${identifier(name)} concurrently`,
      );
    },

    /** Ends a detach that was cut short. */
    async finishDetach(table: PartitionedTable, name: string): Promise<void> {
      await db.execute(
        sql`alter table ${sql.identifier(table)} detach partition ${identifier(name)} finalize`,
      );
    },

    async drop(name: string): Promise<void> {
      await db.execute(sql`drop table if exists ${identifier(name)}`);
    },
  };
}
