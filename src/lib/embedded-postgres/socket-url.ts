import type postgres from "postgres";

type Connection = Pick<
  postgres.Options<Record<string, never>>,
  "host" | "port" | "path" | "user" | "pass" | "database" | "ssl"
>;

/** A URL for a database behind a Unix socket; libpq reads it too. */
export function socketUrl(at: { socketDir: string; port: number; user: string; database: string }): string {
  const user = encodeURIComponent(at.user);
  return `postgres://${user}@localhost:${at.port}/${encodeURIComponent(at.database)}?host=${encodeURIComponent(at.socketDir)}`;
}

/**
 * The part of a URL that postgres.js doesn't understand: a Unix socket's folder as the `host` parameter or as
 * an encoded host, both as in libpq: `postgres://me@/db?host=/run/postgresql`, `postgres://me@%2Frun%2Fpostgresql/db`.
 * @returns options to use instead of the URL; null when it names no socket and can be used as it is.
 */
export function postgresOptions(url: string): Connection | null {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url);
  if (!match) return null;
  const [, credentials = "", authority = "", database = "", query = ""] = match;
  const parameters = new URLSearchParams(query);
  const [name = "", authorityPort] = authority.split(":");
  const host = parameters.get("host") ?? decodeURIComponent(name);
  if (!host.startsWith("/")) return null;
  const [user = "", password] = credentials.split(":").map(decodeURIComponent);
  const port = Number(parameters.get("port") ?? (authorityPort || 5432));
  return {
    host,
    port,
    path: `${host}/.s.PGSQL.${port}`,
    ssl: false,
    ...(user && { user }),
    ...(password !== undefined && { pass: password }),
    ...(database && { database: decodeURIComponent(database) }),
  };
}
