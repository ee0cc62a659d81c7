import {
  type ApiDescription,
  type DescribedRoute,
  describeRoutes,
  type Example,
  type OpenApiDocument,
} from "../lib/openapi/document.ts";
import { HttpError, ValidationError } from "../schemas/common.ts";
import { namedSchemas } from "../schemas/index.ts";
import { AppError, type ErrorCode, errorBody, errorCodes, invalid } from "../services/errors.ts";
import { version } from "../version.ts";
import { idempotencyKeyLengthMax } from "./idempotency.ts";
import { introduction, pathParameters, tags } from "./openapi-texts.ts";

/** The whole API, as its routes and their schemas tell it. */
export const describeApi = (routes: readonly DescribedRoute[]): OpenApiDocument =>
  describeRoutes(routes, description);

const answer = (status: number, name: string, schema: ApiDescription["answers"][string]["schema"]) => ({
  name,
  schema,
  description: meanings[status] ?? name,
  examples: examplesOf(status),
});

const meanings: Record<number, string> = {
  400: "The request makes no sense as a whole, or a query parameter is of the wrong type.",
  401: "There is no token, or it is wrong, expired or revoked.",
  403: "The token is good, and may not do this.",
  404: "There is no such thing, or it belongs to another tenant.",
  409: "The name is taken, or an Idempotency-Key was used for another body.",
  413: "The body is larger than 2 MB.",
  422: "A value is not valid: `loc` says where it stands.",
  500: "Our fault. The `x-request-id` finds its log lines.",
  503: "Not now: come back after `retry-after` seconds. An Idempotency-Key makes it safe to send the same again.",
};

function examplesOf(status: number): Record<string, Example> {
  if (status === 422)
    return { invalid: { value: errorBody(invalid(["body", "url"], "must be http or https")) } };
  const codes = (Object.keys(errorCodes) as ErrorCode[]).filter((code) => errorCodes[code].status === status);
  // A component's key has no spaces, and one of our codes has.
  return Object.fromEntries(
    codes.map((code) => [code.replaceAll(" ", "_"), { value: errorBody(new AppError(code)) }]),
  );
}

const tagNames = new Map(tags.map(({ of, name }) => [of, name]));

const description: ApiDescription = {
  info: {
    title: "Posthorn",
    version,
    summary: "Sends webhooks.",
    description: introduction,
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/", description: "where this document comes from" }],
  security: [{ bearer: [] }],
  securitySchemes: {
    bearer: {
      type: "http",
      scheme: "bearer",
      description: "An org token, an app token or an API key. `app ops token` prints one.",
    },
  },
  tags: tags.map(({ name, description }) => ({ name, description })),
  // v1.message-attempt.list-by-msg is about message-attempt.
  tagOf: (operationId) => {
    const of = operationId.split(".").slice(1, -1).join(".");
    return tagNames.get(of) ?? of;
  },
  names: namedSchemas,
  pathParameters,
  headers: {
    POST: [
      {
        name: "Idempotency-Key",
        in: "header",
        required: false,
        description:
          "Up to 12 hours, the same key and body get the answer of the first time, and nothing happens twice: a message " +
          "never, anything else unless the server is killed in the middle of it.",
        schema: { type: "string", maxLength: idempotencyKeyLengthMax, examples: ["order-42-paid"] },
      },
    ],
  },
  answers: {
    400: answer(400, "BadRequest", HttpError),
    401: answer(401, "Unauthorized", HttpError),
    403: answer(403, "Forbidden", HttpError),
    404: answer(404, "NotFound", HttpError),
    409: answer(409, "Conflict", HttpError),
    413: answer(413, "PayloadTooLarge", HttpError),
    422: answer(422, "Invalid", ValidationError),
    500: answer(500, "ServerError", HttpError),
    503: answer(503, "Unavailable", HttpError),
  },
  successes: {
    200: "Done",
    201: "Made",
    202: "Accepted: committed, and carried out from here on",
    204: "Done; there is nothing to say",
  },
  responseHeaders: {
    "x-request-id": {
      description:
        "Names the request in the log; taken from the request's own `x-request-id` or `svix-req-id`.",
      schema: { type: "string", examples: ["req_2y6rkTqDGfhN0pQcnKp7HVzq3Ba"] },
    },
  },
};
