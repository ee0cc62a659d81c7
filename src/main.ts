#!/usr/bin/env bun
// Before anything that takes time to load: it may start the process over.
import "./memory.ts";
import { isatty } from "node:tty";
import { defineCommand } from "citty";
import manifest from "../package.json" with { type: "json" };
import { environment } from "./config.ts";
import { lazyCommand, runCli } from "./lib/cli.ts";

const root = defineCommand({
  meta: { name: "app", version: manifest.version, description: manifest.description },
  args: { version: { type: "boolean", description: "Print the version." } },
  subCommands: {
    serve: lazyCommand("Serve the HTTP API.", () => import("./commands/serve.ts")),
    worker: lazyCommand("Deliver messages and run background tasks.", () => import("./commands/worker.ts")),
    migrate: lazyCommand("Bring the database's schema up to date.", () => import("./commands/migrate.ts")),
    ops: lazyCommand("Operate on the data: tokens, backfills and more.", () => import("./commands/ops.ts")),
  },
});

const code = await runCli(root, process.argv.slice(2), {
  out: (text) => void process.stdout.write(isatty(1) ? text : Bun.stripANSI(text)),
  err: (text) => void process.stderr.write(isatty(2) ? text : Bun.stripANSI(text)),
  debug: environment().LOG_LEVEL === "debug",
});
// What a command leaves running must not hold the exit up, nor the exit cut off what is still being printed:
// of Bun's stdout only `end` waits until a slow reader of a pipe has everything.
await new Promise<void>((done) => process.stdout.end(done));
process.exit(code);
