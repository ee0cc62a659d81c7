import { Elysia } from "./lib/elysia/index.ts";
import { newId } from "./lib/ids.ts";
import { isDeeperThan } from "./lib/json-depth.ts";
import { createLine } from "./lib/log-line.ts";
import { isSecretText } from "./lib/log-redaction.ts";
import { postgresErrorCode } from "./lib/postgres-errors.ts";
import { readBody } from "./lib/request-body.ts";
import { writeAnswer } from "./routes/answers.ts";
import { requestState } from "./routes/api.ts";
import { appPortalRoutes } from "./routes/app-portal.ts";
import { corsHeaders, preflight } from "./routes/cors.ts";
import { documentationRoutes } from "./routes/documentation.ts";
import { errorResponse, toAppError } from "./routes/errors.ts";
import { answerOf, keyedRequest, replay } from "./routes/idempotency.ts";
import { type RouteParts, resourceRoutes } from "./routes/index.ts";
import { notImplementedRoutes } from "./routes/not-implemented.ts";
import { describeApi } from "./routes/openapi.ts";
import { requireAccess } from "./services/access.ts";
import type { Actor, Context } from "./services/context.ts";
import { AppError, invalid } from "./services/errors.ts";
import { claimKey, settleKey } from "./services/idempotency.ts";
import type { Availability } from "./tasks/availability.ts";

const requestBodyBytesMax = 2_000_000;
/** Far more than anybody means, and far less than a stack holds. */
const requestBodyDepthMax = 1_000;
/** Above our own limit, so that the client gets JSON and not Bun's empty 413. */
export const serverBodyBytesMax = 64_000_000;

const requestIdPattern = /^[\w.:-]{1,128}$/;
/** Of a URL, or of a path or a route alone: `/api/v1/…`; everything else (health, documents) is open. */
const protectedPath = /^(?:https?:\/\/[^/]+)?(?:\/ingest)?\/api\/v1\/(?!health(?:[/?]|$))/;

export type AppParts = RouteParts & { availability: Pick<Availability, "admit" | "suspect"> };

/** The HTTP API: every hook stands here, every resource in routes/. */
export function createApp(parts: AppParts) {
  const { repos, sealer, settings, events, payloadSchemas } = parts;
  const logRequest = createLine(parts.log, "request");
  const contextOf = (actor: Actor, requestId: string, request: Request): Context => ({
    actor,
    orgId: actor.orgId,
    requestId,
    repos,
    sealer,
    settings,
    events,
    payloadSchemas,
    // Most requests log nothing of their own and wait for nobody: none pays for a logger or a signal unasked.
    get log() {
      return parts.log.child({ requestId });
    },
    get signal() {
      return request.signal;
    },
  });

  // Elysia reads the text of every hook, and prepares for each request whatever one of them looks at. For a hook that
  // hands its context on that is all there is, cookies included: so none does. It awaits `mapResponse` if that is an
  // async function by name, and the others if `async` stands in their text: these make a promise only when there is
  // something to wait for.
  // Not normalised: cleaning comes before the check, and makes an object of a list or a text. So an input must say that
  // it is open (`Input`), and an output with a field too many is a fault of ours.
  // No standard host names: for those it would look for a URL's path behind the 11th character only.
  const app = new Elysia({ name: "posthorn", normalize: false, handler: { standardHostname: false } })
    .decorate(requestState)
    .onRequest((context) => {
      const { request, set } = context;
      const requestId = requestIdOf(request);
      context.requestId = requestId;
      context.startedAt = performance.now();
      Object.assign(set.headers, corsHeaders);
      set.headers["x-request-id"] = requestId;
      if (request.method === "OPTIONS") return preflight(request);
      if (!protectedPath.test(request.url)) return undefined;
      // Bun makes a URL of the path alone when the host is none.
      if (request.url.startsWith("/"))
        throw invalid(["header", "host"], "is required, and must be a host's name");
      parts.availability.admit();
      const actor = parts.authenticate(request.headers.get("authorization"));
      if (actor instanceof Promise) {
        return (async () => {
          context.ctx = contextOf(await actor, requestId, request);
        })();
      }
      context.ctx = contextOf(actor, requestId, request);
      return undefined;
    })
    .onParse(async (context) => {
      const rawBody = await readBody(
        context.request,
        requestBodyBytesMax,
        () => new AppError("payload_too_large"),
      );
      context.rawBody = rawBody;
      if (rawBody === "") return undefined;
      if (isDeeperThan(rawBody, requestBodyDepthMax)) throw invalid(["body"], "nests too deep");
      try {
        return JSON.parse(rawBody) as unknown;
      } catch (error) {
        throw invalid(
          ["body"],
          error instanceof Error ? error.message : "not JSON",
          "value_error.jsondecode",
        );
      }
    })
    // Before the input is checked: who may not call a route learns nothing of what it takes.
    .onTransform(({ ctx, request, route }) => {
      if (ctx !== undefined) requireAccess(ctx.actor, request.method, route);
      // Whatever way led here: no route runs for nobody.
      else if (protectedPath.test(route)) throw new AppError("authentication_failed");
    })
    .onBeforeHandle((context) => {
      const { request, rawBody, ctx, set } = context;
      const keyed = keyedRequest(request, rawBody);
      if (keyed === null) return undefined;
      return (async () => {
        const claim = await claimKey(ctx, keyed);
        if ("held" in claim) {
          context.heldKey = claim.held;
          return undefined;
        }
        set.status = claim.answer.status;
        return replay(claim.answer);
      })();
    })
    .mapResponse(async (context) => {
      const { ctx, heldKey, responseValue, set } = context;
      const text = writeAnswer(responseValue, set);
      if (heldKey !== null) {
        context.heldKey = null;
        await settleKey(ctx, heldKey, await answerOf(text ?? responseValue, set.status));
      }
      // Elysia takes a text here too, though its types know only of a Response.
      return (text ?? undefined) as undefined;
    })
    .onError(({ code, error: thrown, requestId, set }) => {
      const error = toAppError(code, thrown);
      if (error.code === "unavailable" && error.cause !== undefined) {
        parts.availability.suspect();
        parts.health.failed(error.cause);
        // They come in crowds, and all from the same place: no stack.
        parts.log.error({ requestId, code: postgresErrorCode(error.cause) }, "the database can't be used");
      }
      if (error.status === 500) parts.log.error({ requestId, err: error }, "request failed");
      set.status = error.status;
      return errorResponse(error);
    })
    .onAfterResponse(({ requestId, startedAt, ctx, request, set, route, responseValue }) => {
      logRequest({
        requestId,
        method: request.method,
        route: route ?? loggedPath(request.url),
        status: responseValue instanceof Response ? responseValue.status : (set.status ?? 200),
        durationMs: Math.round((performance.now() - startedAt) * 100) / 100,
        orgId: ctx?.orgId,
      });
    });
  for (const routes of resourceRoutes) app.use(routes(parts));
  return app
    .use(notImplementedRoutes())
    .use(appPortalRoutes())
    .use(documentationRoutes(() => app.routes));
}

/** The document of this API. Its routes are told here and never run, so that they need no parts. */
export const describeApp = () => describeApi(createApp({} as AppParts).routes);

function requestIdOf({ headers }: Request): string {
  const given = headers.get("x-request-id") ?? headers.get("svix-req-id");
  return given !== null && requestIdPattern.test(given) ? given : newId("req_");
}

const segmentLengthMax = 40;
const segmentsMax = 8;

/** The path of a URL that no route is for, as far as it can be logged: long segments may be anything, tokens as well. */
function loggedPath(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/, "").replace(/[?#].*$/s, "");
  const segments = path.split("/", segmentsMax + 1);
  return segments
    .map((segment) => (segment.length > segmentLengthMax || isSecretText(segment) ? "[…]" : segment))
    .join("/");
}
