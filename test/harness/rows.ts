import type { Sql } from "postgres";
import { newId } from "../../src/lib/ids.ts";

/** Valid rows, with what a test says of them in place of the defaults. Times of messages and attempts go into their ids. */
export const createRows = (sql: Sql, orgId: string) => {
  const application = async (over: { id?: string; uid?: string; orgId?: string } = {}) => {
    const row = { id: newId("app_"), orgId, uid: null, ...over };
    await sql`insert into applications (id, org_id, uid, name)
              values (${row.id}, ${row.orgId}, ${row.uid}, 'application')`;
    return row;
  };

  const endpoint = async (
    appId: string,
    over: { id?: string; uid?: string; eventTypes?: string[]; channels?: string[]; disabled?: boolean } = {},
  ) => {
    const row = { id: newId("ep_"), uid: null, eventTypes: null, channels: null, disabled: false, ...over };
    await sql`insert into endpoints (id, org_id, app_id, uid, url, event_types, channels, disabled)
              values (${row.id}, ${orgId}, ${appId}, ${row.uid}, 'https://receiver.example/hook',
                      ${row.eventTypes}, ${row.channels}, ${row.disabled})`;
    return row;
  };

  const message = async (
    appId: string,
    over: {
      id?: string;
      at?: Date;
      eventType?: string;
      eventId?: string;
      channels?: string[];
      tags?: string[];
      deliverAt?: Date;
      payload?: string | null;
      payloadExpiresAt?: Date;
    } = {},
  ) => {
    const at = over.at ?? new Date();
    const row = {
      id: newId("msg_", at.getTime()),
      eventType: "user.created",
      eventId: null,
      channels: null,
      tags: null,
      deliverAt: null as Date | null,
      payload: '{"a":1}',
      payloadExpiresAt: new Date(Date.now() + 90 * 86_400_000),
      ...over,
    };
    await sql`insert into messages (id, org_id, app_id, event_type, event_id, channels, tags, deliver_at, payload,
                                    payload_expires_at)
              values (${row.id}, ${orgId}, ${appId}, ${row.eventType}, ${row.eventId}, ${row.channels},
                      ${row.tags}, ${row.deliverAt?.toISOString() ?? null}, ${row.payload}, ${row.payloadExpiresAt.toISOString()})`;
    if (row.eventId !== null) {
      await sql`insert into message_event_ids (app_id, event_id, message_id)
                values (${appId}, ${row.eventId}, ${row.id})`;
    }
    return row;
  };

  const attempt = async (
    appId: string,
    message: { id: string; eventType: string; channels: string[] | null; tags: string[] | null },
    endpoint: { id: string },
    over: {
      id?: string;
      at?: Date;
      status?: 0 | 2 | 4;
      responseStatusCode?: number;
      response?: string | null;
      trigger?: 0 | 1;
      attempt?: number;
      nextAt?: Date;
      sentHeaders?: string;
      responseHeaders?: string;
    } = {},
  ) => {
    const at = over.at ?? new Date();
    const row = {
      id: newId("atmpt_", at.getTime()),
      status: 0,
      responseStatusCode: over.status === 2 ? 500 : 200,
      response: "ok",
      trigger: 0,
      attempt: 1,
      nextAt: null as Date | null,
      sentHeaders: null,
      responseHeaders: null,
      ...over,
    };
    await sql`insert into attempts (id, org_id, app_id, message_id, endpoint_id, event_type, channels, tags, trigger,
                                    attempt, status, response_status_code, response, duration_ms, url, next_at,
                                    sent_headers, response_headers)
              values (${row.id}, ${orgId}, ${appId}, ${message.id}, ${endpoint.id}, ${message.eventType},
                      ${message.channels}, ${message.tags}, ${row.trigger}, ${row.attempt}, ${row.status},
                      ${row.responseStatusCode}, ${row.response}, 12, 'https://receiver.example/hook',
                      ${row.nextAt?.toISOString() ?? null}, ${row.sentHeaders}, ${row.responseHeaders})`;
    return row;
  };

  const delivery = async (
    appId: string,
    message: { id: string },
    endpoint: { id: string },
    over: { dueAt?: Date; lease?: string; attempt?: number; trigger?: 0 | 1; priority?: 0 | 1 | 2 } = {},
  ) => {
    const row = { dueAt: new Date(), lease: null, attempt: 0, trigger: 0, priority: 0, ...over };
    await sql`insert into deliveries (message_id, endpoint_id, trigger, org_id, app_id, priority, attempt, due_at, lease)
              values (${message.id}, ${endpoint.id}, ${row.trigger}, ${orgId}, ${appId}, ${row.priority},
                      ${row.attempt}, ${row.dueAt.toISOString()}, ${row.lease})`;
    return row;
  };

  return { application, endpoint, message, attempt, delivery };
};
export type Rows = ReturnType<typeof createRows>;
