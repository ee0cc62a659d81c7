import { newId } from "../../src/lib/ids.ts";
import { type Api, appToken, orgToken, startApi } from "./api.ts";
import { prepareHistory } from "./history.ts";
import { createRows, type Rows } from "./rows.ts";

export const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);

/** Messages in every state at the endpoint `ep` of the application `own`, a few at `ep2`, and another application. */
export async function startAttemptScene(
  ids: { good: string; bad: string } = {
    good: newId("atmpt_", ago(58).getTime()),
    bad: newId("atmpt_", ago(59).getTime()),
  },
): Promise<{ api: Api; rows: Rows; tokens: Record<string, string> }> {
  const api = await startApi();
  await prepareHistory(api.database);
  const rows = createRows(api.database.sql, "org_a");
  const app = await rows.application({ uid: "own" });
  const other = await rows.application({ uid: "other" });
  const ep = await rows.endpoint(app.id, { uid: "ep" });
  const ep2 = await rows.endpoint(app.id, { uid: "ep2" });
  const foreign = await rows.endpoint(other.id, { uid: "foreign" });

  // m1 succeeded at the second try; m2 failed for good; m3 is to be retried; m4 is under way; m5 has not begun.
  const m1 = await rows.message(app.id, {
    at: ago(60),
    eventId: "m1",
    channels: ["c1"],
    tags: ["t1"],
    payload: '{"n":1.0}',
  });
  await rows.attempt(app.id, m1, ep, { id: ids.bad, status: 2, response: "busy", nextAt: ago(58) });
  await rows.attempt(app.id, m1, ep, { id: ids.good, attempt: 2, response: "thanks" });
  await rows.attempt(app.id, m1, ep2, { at: ago(59), responseStatusCode: 201 });
  const m2 = await rows.message(app.id, { at: ago(50), eventId: "m2", eventType: "order.paid" });
  await rows.attempt(app.id, m2, ep, { at: ago(49), status: 2, responseStatusCode: 404 });
  const m3 = await rows.message(app.id, { at: ago(40), eventId: "m3" });
  await rows.attempt(app.id, m3, ep, { at: ago(39), status: 2, responseStatusCode: 0, response: "refused" });
  await rows.delivery(app.id, m3, ep, { dueAt: new Date("2030-01-01T00:00:00Z"), attempt: 1, priority: 1 });
  const m4 = await rows.message(app.id, { at: ago(30), eventId: "m4" });
  await rows.delivery(app.id, m4, ep, { lease: crypto.randomUUID(), dueAt: ago(-1) });
  const m5 = await rows.message(app.id, { at: ago(20), eventId: "m5" });
  await rows.delivery(app.id, m5, ep);
  await rows.message(app.id, { at: ago(10), eventId: "elsewhere" });
  const theirs = await rows.message(other.id, { at: ago(5), eventId: "theirs" });
  await rows.attempt(other.id, theirs, foreign, { response: "not for own" });

  const tokens = {
    app: await appToken("org_a", app.id),
    otherApp: await appToken("org_a", other.id),
    otherOrg: await orgToken("org_b"),
  };
  return { api, rows, tokens };
}
