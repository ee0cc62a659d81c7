import { and, type Column, eq, isNull, type SQL, sql } from "drizzle-orm";
import { applications } from "../models/applications.ts";
import { endpoints } from "../models/endpoints.ts";
import { named } from "./db.ts";

/** An application as a path names it, and the one that the actor is bound to, if any. */
export type ApplicationScope = { orgId: string; appRef: string; boundAppId: string | null };

/** Rows of that application. A uid is looked up in the same statement, by applications_org_uid. */
function inApplication(columns: { orgId: Column; appId: Column }, scope: ApplicationScope): SQL | undefined {
  const { orgId, appRef, boundAppId } = scope;
  const appId = appRef.startsWith("app_")
    ? sql`${appRef}`
    : sql`(select ${applications.id} from ${applications} where ${applications.orgId} = ${orgId}
            and ${applications.uid} = ${appRef} and ${applications.deletedAt} is null)`;
  return and(
    eq(columns.orgId, orgId),
    eq(columns.appId, appId),
    boundAppId === null ? undefined : eq(columns.appId, boundAppId),
  );
}

/** The application's endpoints that are not deleted; none is left in a deleted application. */
export const liveEndpoints = (scope: ApplicationScope) =>
  and(inApplication(endpoints, scope), isNull(endpoints.deletedAt));

export const liveEndpoint = (scope: ApplicationScope, ref: string) =>
  and(liveEndpoints(scope), named(ref, "ep_", endpoints));
