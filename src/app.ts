import { Elysia } from "./lib/elysia/index.ts";
import { newId } from "./lib/ids.ts";
import { isDeeperThan } from "./lib/json-depth.ts";
import { postgresErrorCode } from "./lib/postgres-errors.ts";
import { readBody } from "./lib/request-body.ts";
import { writeAnswer } from "./routes/answers.ts";
import type { RequestState } from "./routes/api.ts";
import { appPortalRoutes } from "./routes/app-portal.ts";
import { corsHeaders, preflight } from "./routes/cors.ts";
import { documentationRoutes } from "./routes/documentation.ts";
import { errorResponse, toAppError } from "./routes/errors.ts";
import { beginIdempotent, endIdempotent } from "./routes/idempotency.ts";
import { type RouteParts, resourceRoutes } from "./routes/index.ts";
import { notImplementedRoutes } from "./routes/not-implemented.ts";
import { describeApi } from "./routes/openapi.ts";
import { requireAccess } from "./services/access.ts";
import { AppError, invalid } from "./services/errors.ts";
import type { Availability } from "./tasks/availability.ts";

const requestBodyBytesMax = 2_000_000;
/** Far more than anybody means, and far less than a stack holds. */
const requestBodyDepthMax = 1_000;
/** Above our own limit, so that the client gets JSON and not Bun's empty 413. */
export const serverBodyBytesMax = 64_000_000;

const requestIdPattern = /^[\w.:-]{1,128}$/;
/** `https://host/api/v1/…`; everything else (health, documents) is open. */
const protectedPath = /^https?:\/\/[^/]+(?:\/ingest)?\/api\/v1\/(?!health(?:[/?]|$))/;

export type AppParts = RouteParts & { availability: Pick<Availability, "admit" | "suspect"> };

/** The HTTP API: every hook stands here, every resource in routes/. */
export function createApp(parts: AppParts) {
  const { repos, sealer, settings, events, payloadSchemas } = parts;
  const begin = async (
    { request, set }: { request: Request; set: { headers: Record<string, unknown> } },
    state: RequestState,
  ) => {
    const given = request.headers.get("x-request-id") ?? request.headers.get("svix-req-id");
    state.startedAt = performance.now();
    state.requestId = given !== null && requestIdPattern.test(given) ? given : newId("req_");
    state.rawBody = "";
    state.heldKey = null;
    Object.assign(set.headers, corsHeaders);
    set.headers["x-request-id"] = state.requestId;
    if (request.method === "OPTIONS") return preflight(request);
    if (!protectedPath.test(request.url)) return undefined;
    parts.availability.admit();
    const known = parts.authenticate(request.headers.get("authorization"));
    // Nearly always known already: then there is nothing to wait for.
    const actor = known instanceof Promise ? await known : known;
    state.ctx = {
      actor,
      orgId: actor.orgId,
      requestId: state.requestId,
      repos,
      sealer,
      settings,
      events,
      payloadSchemas,
      // Most requests log nothing of their own, so that none pays for a logger.
      get log() {
        return parts.log.child({ requestId: this.requestId });
      },
      signal: request.signal,
    };
    return undefined;
  };

  // Hooks that wait are async functions by name: Elysia awaits no others.
  // Not normalised: cleaning comes before the check, and makes an object of a list or a text. So an input must say that
  // it is open (`Input`), and an output with a field too many is a fault of ours.
  const app = new Elysia({ name: "posthorn", normalize: false })
    .onRequest(async (context) => await begin(context, context as unknown as RequestState))
    .onParse(async (context) => {
      const state = context as unknown as RequestState;
      state.rawBody = await readBody(
        context.request,
        requestBodyBytesMax,
        () => new AppError("payload_too_large"),
      );
      if (state.rawBody === "") return undefined;
      if (isDeeperThan(state.rawBody, requestBodyDepthMax)) throw invalid(["body"], "nests too deep");
      try {
        return JSON.parse(state.rawBody) as unknown;
      } catch (error) {
        throw invalid(
          ["body"],
          error instanceof Error ? error.message : "not JSON",
          "value_error.jsondecode",
        );
      }
    })
    // Before the input is checked: who may not call a route learns nothing of what it takes.
    .onTransform((context) => {
      const { ctx } = context as unknown as RequestState;
      const { request, route } = context;
      if (ctx !== undefined) requireAccess(ctx.actor, request.method, route);
    })
    .onBeforeHandle(async (context) => await beginIdempotent(context as unknown as HookedContext))
    .mapResponse(async (context) => {
      const text = writeAnswer(context);
      await endIdempotent(context as unknown as HookedContext, text);
      // Elysia takes a text here too, though its types know only of a Response.
      return (text ?? undefined) as undefined;
    })
    .onError((context) => {
      const state = context as unknown as RequestState;
      const error = toAppError(context.code, context.error);
      const { requestId } = state;
      if (error.code === "unavailable" && error.cause !== undefined) {
        parts.availability.suspect();
        parts.health.failed(error.cause);
        // They come in crowds, and all from the same place: no stack.
        parts.log.error({ requestId, code: postgresErrorCode(error.cause) }, "the database can't be used");
      }
      if (error.status === 500) parts.log.error({ requestId, err: error }, "request failed");
      context.set.status = error.status;
      return errorResponse(error);
    })
    .onAfterResponse((context) => {
      const { requestId, startedAt, ctx } = context as unknown as RequestState;
      const { request, set, route } = context;
      const answered =
        context.responseValue instanceof Response ? context.responseValue.status : (set.status ?? 200);
      parts.log.info(
        {
          requestId,
          method: request.method,
          route: route ?? new URL(request.url).pathname,
          status: answered,
          durationMs: Math.round((performance.now() - startedAt) * 100) / 100,
          orgId: ctx?.orgId,
        },
        "request",
      );
    });
  for (const routes of resourceRoutes) app.use(routes(parts));
  return app
    .use(notImplementedRoutes())
    .use(appPortalRoutes())
    .use(documentationRoutes(() => app.routes));
}

/** The document of this API. Its routes are told here and never run, so that they need no parts. */
export const describeApp = () => describeApi(createApp({} as AppParts).routes);

type HookedContext = Parameters<typeof endIdempotent>[0];
