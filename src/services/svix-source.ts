/**
 * Reads a server that speaks the Svix v1 API, as its OpenAPI document has it: lists in pages with `data`, `done` and
 * `iterator`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { errorSentence, UsageError } from "../lib/cli-errors.ts";

/** What a list holds: fields that nobody has checked yet. */
export type SvixObject = Record<string, unknown>;

export type SvixSource = {
  /** One object. */
  get(path: string): Promise<SvixObject>;
  /** A whole list. */
  list(path: string, query?: Record<string, string>): AsyncGenerator<SvixObject>;
};

export type SvixSourceOptions = {
  /** With or without `/api/v1` at its end. */
  url: URL;
  token: string;
  signal: AbortSignal;
  /** Waits until the next request may go. */
  pace: () => Promise<void>;
};

const pageSize = 250;
const timeoutMs = 30_000;
/** Before each further try of a request that failed for a reason that may pass. */
const retryDelaysMs = [500, 2_000, 8_000];

/** A failure that a further try would not mend. */
class Final extends Error {}

/** @throws UsageError when the token is refused; Error when the server can't be reached or speaks another language */
export function createSvixSource({ url, token, signal, pace }: SvixSourceOptions): SvixSource {
  const base = `${url.origin}${url.pathname.replace(/\/+$/, "").replace(/\/api\/v1$/, "")}/api/v1`;
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };

  /** @throws Final for an answer that stays as it is; whatever else it throws may pass */
  async function readOnce(target: string): Promise<SvixObject> {
    await pace();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(target, { headers, redirect: "manual", signal: limit });
    const { status } = response;
    if (status === 200) {
      const body: unknown = await response.json().catch(() => null);
      if (isObject(body)) return body;
      throw new Final("not what the Svix API answers");
    }
    await response.body?.cancel();
    if (status === 401 || status === 403) {
      throw new UsageError(`${target}: ${status}. Is --token an org's, and of that server?`);
    }
    throw status === 429 || status >= 500 ? new Error(`${status}`) : new Final(`${status}`);
  }

  async function read(path: string): Promise<SvixObject> {
    const target = base + path;
    for (let tries = 0; ; tries += 1) {
      try {
        return await readOnce(target);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof UsageError) throw error;
        const delayMs = retryDelaysMs[tries];
        if (error instanceof Final || delayMs === undefined) {
          throw new Error(`${target}: ${errorSentence(error)}`);
        }
        await sleep(delayMs, undefined, { signal });
      }
    }
  }

  return {
    get: read,
    async *list(path, query = {}) {
      const seen = new Set<unknown>();
      for (let iterator: string | null = null; ; ) {
        const search = new URLSearchParams({
          limit: String(pageSize),
          ...query,
          ...(iterator !== null && { iterator }),
        });
        const page: SvixObject = await read(`${path}?${search}`);
        if (!Array.isArray(page.data)) throw new Error(`${base}${path}: not a list of the Svix API`);
        for (const one of page.data) if (isObject(one)) yield one;
        if (page.done !== false) return;
        if (typeof page.iterator !== "string" || seen.has(page.iterator)) {
          throw new Error(`${base}${path}: its pages don't come to an end`);
        }
        iterator = page.iterator;
        seen.add(iterator);
      }
    },
  };
}

const isObject = (value: unknown): value is SvixObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
