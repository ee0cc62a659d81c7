import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { isNameable } from "../lib/openapi/json-schema.ts";
import * as apiKeys from "./api-keys.ts";
import * as applications from "./applications.ts";
import * as attempts from "./attempts.ts";
import * as backgroundTasks from "./background-tasks.ts";
import * as common from "./common.ts";
import * as endpointHeaders from "./endpoint-headers.ts";
import * as endpointSecrets from "./endpoint-secrets.ts";
import * as endpoints from "./endpoints.ts";
import * as environment from "./environment.ts";
import * as eventTypeOpenApi from "./event-type-openapi.ts";
import * as eventTypes from "./event-types.ts";
import * as expunge from "./expunge.ts";
import * as health from "./health.ts";
import * as integrations from "./integrations.ts";
import * as messageEndpoints from "./message-endpoints.ts";
import * as messageIn from "./message-in.ts";
import * as messages from "./messages.ts";
import * as operationalEndpoints from "./operational-endpoints.ts";
import * as pollerTokens from "./poller-tokens.ts";
import * as pollers from "./pollers.ts";
import * as portalAccess from "./portal-access.ts";
import * as usage from "./usage.ts";

/** Every object and every closed list that these files export: the document holds each once, under its own name. */
export const namedSchemas: [name: string, schema: TSchema][] = [
  apiKeys,
  applications,
  attempts,
  backgroundTasks,
  common,
  endpointHeaders,
  endpointSecrets,
  endpoints,
  environment,
  eventTypeOpenApi,
  eventTypes,
  expunge,
  health,
  integrations,
  messageEndpoints,
  messageIn,
  messages,
  operationalEndpoints,
  pollerTokens,
  pollers,
  portalAccess,
  usage,
]
  .flatMap((file) => Object.entries<unknown>(file))
  .filter((entry): entry is [string, TSchema] => TypeGuard.IsSchema(entry[1]) && isNameable(entry[1]));
