import type { AnyElysia } from "../lib/elysia/index.ts";
import type { SendMessageParts } from "../services/send-message.ts";
import type { ApiParts } from "./api.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { applicationRoutes } from "./applications.ts";
import { attemptRoutes } from "./attempts.ts";
import { authenticationRoutes } from "./authentication.ts";
import { backgroundTaskRoutes } from "./background-tasks.ts";
import { endpointHeaderRoutes } from "./endpoint-headers.ts";
import { endpointReplayRoutes } from "./endpoint-replays.ts";
import { endpointSecretRoutes } from "./endpoint-secrets.ts";
import { endpointRoutes } from "./endpoints.ts";
import { environmentRoutes } from "./environment.ts";
import { eventTypeRoutes } from "./event-types.ts";
import { healthRoutes } from "./health.ts";
import { integrationRoutes } from "./integrations.ts";
import { messageEndpointRoutes } from "./message-endpoints.ts";
import { messageSetRoutes } from "./message-sets.ts";
import { messageRoutes } from "./messages.ts";
import { operationalEndpointRoutes } from "./operational-endpoints.ts";
import { pollerTokenRoutes } from "./poller-tokens.ts";
import { pollerRoutes } from "./pollers.ts";
import { sendMessageRoutes } from "./send-message.ts";
import { statisticsRoutes } from "./statistics.ts";

export type RouteParts = ApiParts & { sending: SendMessageParts };

/** Every resource. In this order they stand in the document too. */
export const resourceRoutes: readonly ((parts: RouteParts) => AnyElysia)[] = [
  apiKeyRoutes,
  applicationRoutes,
  messageRoutes,
  messageSetRoutes,
  attemptRoutes,
  messageEndpointRoutes,
  pollerRoutes,
  endpointReplayRoutes,
  backgroundTaskRoutes,
  healthRoutes,
  sendMessageRoutes,
  eventTypeRoutes,
  endpointRoutes,
  endpointHeaderRoutes,
  endpointSecretRoutes,
  operationalEndpointRoutes,
  integrationRoutes,
  environmentRoutes,
  statisticsRoutes,
  authenticationRoutes,
  pollerTokenRoutes,
];
