import { defineCommand } from "citty";
import { lazyCommand } from "../lib/cli.ts";

export default defineCommand({
  meta: { name: "ops", description: "Operate on the data, directly where it is." },
  subCommands: {
    openapi: lazyCommand("Print the API's OpenAPI 3.1 document.", () => import("../../ops/openapi.ts")),
    token: lazyCommand("Print an org token or an app token.", () => import("../../ops/token.ts")),
    keys: lazyCommand("Make, list and revoke API keys.", () => import("../../ops/keys.ts")),
    backfill: lazyCommand(
      "Send an endpoint what it never got, or got wrong.",
      () => import("../../ops/backfill.ts"),
    ),
    recover: lazyCommand(
      "Send an endpoint again what has failed for good.",
      () => import("../../ops/recover.ts"),
    ),
    purge: lazyCommand("Delete what is past its retention, now.", () => import("../../ops/purge.ts")),
    "delete-application": lazyCommand(
      "Delete an application and all that it has, for good.",
      () => import("../../ops/delete-application.ts"),
    ),
    "import-svix": lazyCommand(
      "Take over applications, endpoints and event types from a Svix server.",
      () => import("../../ops/import-svix.ts"),
    ),
    "rotate-secret": lazyCommand(
      "Encrypt the stored secrets with another key, or for the first time.",
      () => import("../../ops/rotate-secret.ts"),
    ),
    stats: lazyCommand(
      "Show the queue, breakers, workers, rates and sizes.",
      () => import("../../ops/stats.ts"),
    ),
    doctor: lazyCommand("Look for what is wrong, and say what to do.", () => import("../../ops/doctor.ts")),
    health: lazyCommand("Ask a running serve or worker for its health.", () => import("../../ops/health.ts")),
    receive: lazyCommand("Receive webhooks: verify, print, answer.", () => import("../../ops/receive.ts")),
  },
});
