import { type Static, Type } from "@sinclair/typebox";
import { DeliveryStatus } from "./attempts.ts";
import { ListResponse } from "./common.ts";
import { EndpointOut } from "./endpoints.ts";

export const MessageEndpointOut = Type.Object({ ...EndpointOut.properties, ...DeliveryStatus });
export type MessageEndpointOut = Static<typeof MessageEndpointOut>;
export const MessageEndpointList = ListResponse(MessageEndpointOut);
