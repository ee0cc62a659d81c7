import { isUniqueViolation } from "../lib/postgres-errors.ts";
import { AppError } from "./errors.ts";

/** Runs a write; a unique key that is taken becomes a 409. */
export async function mapUniqueViolation<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError("conflict", { cause: error });
    throw error;
  }
}
