import { isUniqueViolation } from "../lib/postgres-errors.ts";
import { AppError, errorCodes } from "./errors.ts";

/** A 409 for a uid that another has. */
export const uidTaken = () =>
  new AppError("conflict", { detail: `${errorCodes.conflict.detail}: the uid is taken` });

/** Runs a write of what may have a uid; one that is taken becomes a 409. */
export async function mapTakenUid<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    throw isUniqueViolation(error) ? uidTaken() : error;
  }
}
