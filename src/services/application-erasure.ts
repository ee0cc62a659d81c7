import type { Application } from "../models/applications.ts";
import type { Holdings } from "../repos/erasure.ts";
import type { Repos } from "../repos/index.ts";
import { deleteApplication } from "./applications.ts";
import { audit } from "./audit.ts";
import type { ActorContext } from "./context.ts";

/** What a step has deleted, in rows. */
export type ErasureStep = Partial<Holdings>;

const heldRetryMs = 250;

/** Whoever's it is; deleted ones that are not erased yet too. */
export const findAnyApplication = (repos: Repos, id: string): Promise<Application | null> =>
  repos.operator.findApplication(id);

/** How much of it there is to erase. */
export const countHoldings = ({ orgId, repos }: ActorContext, appId: string): Promise<Holdings> =>
  repos.erasure.count(orgId, appId);

/**
 * Deletes an application and erases all that it has, in batches: the API finds it no more from the first step on, and
 * its own row goes last. So it can stop anywhere; run again, it goes on with what is left. What workers are sending
 * ends first, so that they write nothing behind it.
 */
export async function* eraseApplication(
  ctx: ActorContext,
  { id: appId, name, uid, deletedAt }: Application,
  batchSize: number,
): AsyncGenerator<ErasureStep> {
  const { orgId, repos } = ctx;
  const { erasure } = repos;
  if (deletedAt === null) await deleteApplication(ctx, appId);
  await repos.tx((tx) =>
    audit(ctx, tx, { action: "application.erase", target: appId, detail: { name, uid } }),
  );
  for (let at = await erasure.nextEndpoint(orgId, appId); at !== null; ) {
    const endpointId = at;
    while (await erasure.hasDeliveries(orgId, endpointId)) {
      const deliveries = await erasure.deleteDeliveries(orgId, endpointId, batchSize);
      if (deliveries === 0) await Bun.sleep(heldRetryMs);
      yield { deliveries };
    }
    for await (const attempts of walk((afterId) =>
      erasure.deleteAttempts(orgId, endpointId, afterId, batchSize),
    )) {
      yield { attempts };
    }
    await repos.tx((tx) => tx.erasure.deleteEndpoint(orgId, endpointId));
    yield { endpoints: 1 };
    at = await erasure.nextEndpoint(orgId, appId);
  }
  for await (const messages of walk((afterId) => erasure.deleteMessages(orgId, appId, afterId, batchSize))) {
    yield { messages };
  }
  while ((await erasure.deleteEventIds(appId, batchSize)) > 0) yield {};
  await repos.tx((tx) => tx.erasure.deleteApplication(orgId, appId));
}

/** Deletes batch after batch. Gives how many each had. */
async function* walk(
  batch: (afterId: string | null) => Promise<{ deleted: number; lastId: string | null }>,
): AsyncGenerator<number> {
  for (let step = await batch(null); step.lastId !== null; step = await batch(step.lastId)) {
    yield step.deleted;
  }
}
