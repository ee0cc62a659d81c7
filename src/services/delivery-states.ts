import { type Page, type PageQuery, page, pageRequest } from "../lib/pagination.ts";
import type { DeliveryState, DeliveryStatus } from "../repos/delivery-states.ts";
import type { EndpointMessageOut } from "../schemas/attempts.ts";
import type { MessageEndpointOut } from "../schemas/message-endpoints.ts";
import { findApplication } from "./applications.ts";
import { statusText } from "./attempts.ts";
import type { Context } from "./context.ts";
import { findEndpoint, toEndpointOut } from "./endpoints.ts";
import { idsEnd, newestFirst } from "./id-ranges.ts";
import { findMessage, type MessageListQuery, toMessageOut } from "./messages.ts";

/** Success once any attempt went well; sending while one is under way or to be repeated; pending before the first; else how the last one ended. */
function statusOf(state: DeliveryState): DeliveryStatus {
  if (state.succeeded) return 0;
  if (state.queued) return state.leased || state.attempted ? 3 : 1;
  return state.canceled ? 4 : 2;
}

function statusOut(state: DeliveryState) {
  const status = statusOf(state);
  return {
    status,
    statusText: statusText(status),
    nextAttempt: state.nextAt === null ? null : state.nextAt.toISOString(),
  };
}

/** What an endpoint was sent or will be, newest first, of the last 90 days. */
export async function listEndpointMessages(
  ctx: Context,
  appRef: string,
  endpointRef: string,
  query: MessageListQuery & { status?: number },
): Promise<Page<EndpointMessageOut>> {
  const { id: endpointId, appId } = await findEndpoint(ctx, appRef, endpointRef);
  const { range, request } = newestFirst("msg_", query);
  const scope = { orgId: ctx.orgId, appId, ...range };
  const filter = { channel: query.channel ?? null, tag: query.tag ?? null, eventTypes: query.eventTypes };
  const rows = await ctx.repos.deliveryStates.listMessages(
    { ...scope, endpointId, toAttemptId: idsEnd("atmpt_") },
    request,
    { ...filter, status: (query.status ?? null) as DeliveryStatus | null },
  );
  const short = rows.length <= request.limit;
  const edge = short ? await ctx.repos.messages.scannedTo(scope, request) : null;
  return page(
    rows,
    request,
    (row) => row.id,
    (row) => ({ ...toMessageOut(row, query.withContent), ...statusOut(row) }),
    edge,
  );
}

/** Where a message went or will go, by the endpoints' ids. */
export async function listMessageEndpoints(
  ctx: Context,
  appRef: string,
  messageRef: string,
  query: PageQuery,
): Promise<Page<MessageEndpointOut>> {
  const { id: appId } = await findApplication(ctx, appRef);
  const { id: messageId } = await findMessage(ctx, appId, messageRef);
  const request = pageRequest(query, "ascending");
  const rows = await ctx.repos.deliveryStates.listEndpoints(
    { orgId: ctx.orgId, appId, messageId, toAttemptId: idsEnd("atmpt_") },
    request,
  );
  return page(
    rows,
    request,
    (row) => row.id,
    (row) => ({ ...toEndpointOut(row), ...statusOut(row) }),
  );
}
