import { Type } from "@sinclair/typebox";
import { errorResponses, Input, Ref } from "../schemas/common.ts";
import {
  ConsumerPollQuery,
  PollingEndpointConsumerSeekIn,
  PollingEndpointConsumerSeekOut,
  PollingEndpointOut,
  PollQuery,
} from "../schemas/pollers.ts";
import { pollConsumer, seekConsumer } from "../services/poll-consumers.ts";
import { poll } from "../services/pollers.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref, sink_id: Ref });
const consumerParams = Type.Object({ app_id: Ref, sink_id: Ref, consumer_id: Ref });

export const pollerRoutes = (parts: ApiParts) =>
  api(parts, "pollers")
    .get(
      "/app/:app_id/poller/:sink_id",
      ({ ctx, params, query }) => poll(ctx, params.app_id, params.sink_id, query),
      {
        params,
        query: Input(PollQuery),
        response: { 200: PollingEndpointOut, ...errorResponses },
        detail: {
          operationId: "v1.message.poller.poll",
          summary: "Read messages past an iterator",
          description:
            "Oldest first; without an iterator from when the endpoint was made. Give the answer's `iterator` back to go on, at once while `done` is false. Each message comes once, in the order of their ids, those that the endpoint's event types and channels let through. One with a `deliverAt` ahead comes at once, since its place is by its id: heed its `deliverAt`.",
        },
      },
    )
    .get(
      "/app/:app_id/poller/:sink_id/consumer/:consumer_id",
      ({ ctx, params, query }) => pollConsumer(ctx, params.app_id, params.sink_id, params.consumer_id, query),
      {
        params: consumerParams,
        query: Input(ConsumerPollQuery),
        response: { 200: PollingEndpointOut, ...errorResponses },
        detail: {
          operationId: "v1.message.poller.consumer-poll",
          summary: "Read messages as a consumer whose place is remembered",
          description:
            "An iterator that is given back says that all before it is done with, and is remembered. Without one, reading goes on from the last that was remembered. A 409 says that another reader or a seek has moved the consumer: poll without an iterator.",
        },
      },
    )
    .post(
      "/app/:app_id/poller/:sink_id/consumer/:consumer_id/seek",
      ({ ctx, params, body }) => seekConsumer(ctx, params.app_id, params.sink_id, params.consumer_id, body),
      {
        params: consumerParams,
        body: PollingEndpointConsumerSeekIn,
        response: { 200: PollingEndpointConsumerSeekOut, ...errorResponses },
        detail: {
          operationId: "v1.message.poller.consumer-seek",
          summary: "Move a consumer to a time, back or ahead",
        },
      },
    );
