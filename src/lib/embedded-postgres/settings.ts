import type { Home } from "./home.ts";

/** The port is only the socket's suffix: nothing listens on TCP. */
export const SOCKET_PORT = 5432;

/** The superuser that initdb makes, and the database that everything lives in. */
export const SUPERUSER = "posthorn";
export const DATABASE = "posthorn";

/**
 * Server settings, given as arguments so that a new release's apply at its first start.
 * @param durable false only for throwaway clusters: a crash of the machine may lose them.
 */
export function serverSettings(home: Home, socketDir: string, durable: boolean): Record<string, string> {
  return {
    listen_addresses: "",
    port: String(SOCKET_PORT),
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
    max_connections: "100",
    shared_buffers: "128MB",
    max_wal_size: "2GB",
    min_wal_size: "128MB",
    huge_pages: "try",
    // Queries here are short: compiling them costs more than it saves.
    jit: "off",
    fsync: durable ? "on" : "off",
    synchronous_commit: durable ? "on" : "off",
    full_page_writes: durable ? "on" : "off",
    timezone: "UTC",
    log_timezone: "UTC",
    // A file per weekday, emptied when its day comes round. Failed statements are the application's to log:
    // here they would grow the file without a bound.
    logging_collector: "on",
    log_directory: home.logDir,
    log_filename: "postgres.%a.log",
    log_rotation_age: "1d",
    log_rotation_size: "0",
    log_truncate_on_rotation: "on",
    log_min_messages: "log",
    log_checkpoints: "off",
  };
}
