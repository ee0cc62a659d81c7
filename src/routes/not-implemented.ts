import { Elysia } from "../lib/elysia/index.ts";
import { AppError } from "../services/errors.ts";

/**
 * What the SDKs have methods for and Posthorn nothing to do it with: streams, ingest, connectors, destinations other
 * than endpoints, and code that runs on payloads. An SDK reads every answer as JSON, and so is told in its own terms.
 */
export const notImplementedPaths = [
  "/api/v1/stream",
  "/api/v1/stream/*",
  "/api/v1/auth/stream/*",
  "/api/v1/auth/stream-logout",
  "/api/v1/auth/stream-portal-access/*",
  "/api/v1/connector",
  "/api/v1/connector/*",
  "/api/v1/app/:app_id/autoconfig",
  "/api/v1/app/:app_id/autoconfig/*",
  "/api/v1/app/:app_id/destination",
  "/api/v1/app/:app_id/destination/*",
  "/api/v1/app/:app_id/endpoint/:endpoint_id/transformation",
  "/ingest/api/v1/*",
];

export const notImplementedRoutes = () => {
  const app = new Elysia({ name: "routes/not-implemented" });
  const refuse = () => {
    throw new AppError("not_implemented");
  };
  for (const path of notImplementedPaths) app.all(path, refuse, { detail: { hide: true } });
  return app;
};
