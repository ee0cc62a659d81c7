import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { isNameable } from "../lib/openapi/json-schema.ts";
import * as applications from "./applications.ts";
import * as attempts from "./attempts.ts";
import * as backgroundTasks from "./background-tasks.ts";
import * as common from "./common.ts";
import * as endpointHeaders from "./endpoint-headers.ts";
import * as endpointSecrets from "./endpoint-secrets.ts";
import * as endpoints from "./endpoints.ts";
import * as eventTypes from "./event-types.ts";
import * as health from "./health.ts";
import * as messageEndpoints from "./message-endpoints.ts";
import * as messageIn from "./message-in.ts";
import * as messages from "./messages.ts";
import * as portalAccess from "./portal-access.ts";

/** Every object and every closed list that these files export: the document holds each once, under its own name. */
export const namedSchemas: [name: string, schema: TSchema][] = [
  applications,
  attempts,
  backgroundTasks,
  common,
  endpointHeaders,
  endpointSecrets,
  endpoints,
  eventTypes,
  health,
  messageEndpoints,
  messageIn,
  messages,
  portalAccess,
]
  .flatMap((file) => Object.entries<unknown>(file))
  .filter((entry): entry is [string, TSchema] => TypeGuard.IsSchema(entry[1]) && isNameable(entry[1]));
