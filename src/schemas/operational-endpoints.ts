import { type Static, Type } from "@sinclair/typebox";
import { ListResponse } from "./common.ts";
import { EndpointDetailOut, EndpointIn, EndpointOut, EndpointUpdate } from "./endpoints.ts";

const without = ["channels", "filter", "version"] as const;
const example = {
  url: "https://example.com/posthorn",
  description: "Alerts",
  eventTypes: ["endpoint.disabled", "message.attempt.exhausted"],
};
const open = { additionalProperties: true, examples: [example] };

/** As for any endpoint, but that operational messages have no channels and their payloads no filter. */
export const OperationalEndpointIn = Type.Omit(EndpointIn, without, open);
export type OperationalEndpointIn = Static<typeof OperationalEndpointIn>;

export const OperationalEndpointUpdate = Type.Omit(EndpointUpdate, without, open);
export type OperationalEndpointUpdate = Static<typeof OperationalEndpointUpdate>;

export const OperationalEndpointOut = Type.Omit(EndpointOut, without);
export type OperationalEndpointOut = Static<typeof OperationalEndpointOut>;

export const OperationalEndpointDetailOut = Type.Omit(EndpointDetailOut, without);
export type OperationalEndpointDetailOut = Static<typeof OperationalEndpointDetailOut>;

export const OperationalEndpointList = ListResponse(OperationalEndpointOut);
