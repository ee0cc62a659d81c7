import { Type } from "@sinclair/typebox";

const Part = Type.Object({ status: Type.Union([Type.Literal("ok"), Type.Literal("error")]) });

/** The queue and the cache are PostgreSQL too: the names are what clients look for. */
export const Health = Type.Object({ database: Part, queue: Part, cache: Part });
