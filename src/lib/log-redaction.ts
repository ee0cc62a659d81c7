import { redactUrl } from "./env.ts";

const REDACTED = "[redacted]";
const DEPTH_MAX = 5;
const SECRET_NAME =
  /^keys?$|(authorization|cookie|secrets?|tokens?|passwords?|passphrase|credentials?|(api|private|encryption|signing)[-_]?keys?)$/i;
const SECRET_TEXT = /^(whsec_|whsk_|Bearer |Basic |eyJ[\w-]+\.eyJ|key_[\w-]{40})/;

// A regular expression per name would cost more than the line; names that users invent must not pile up.
const verdicts = new Map<string, boolean>();
const VERDICTS_MAX = 2000;

/**
 * What may be logged of these fields: values whose name says secret (`authorization`, `apiKey`, `new_secret`, …)
 * or whose text is a webhook secret or a bearer token are replaced, and URLs lose their passwords.
 * Returns the same object when there was nothing to hide.
 */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return walk(fields, 0) as Record<string, unknown>;
}

function walk(value: object, depth: number): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const name in value) {
    const before = (value as Record<string, unknown>)[name];
    const after = clean(name, before, depth);
    if (after === before) continue;
    copy ??= Array.isArray(value) ? ([...value] as unknown as Record<string, unknown>) : { ...value };
    copy[name] = after;
  }
  return copy ?? value;
}

function clean(name: string, value: unknown, depth: number): unknown {
  if (value === undefined || value === null) return value;
  if (isSecretName(name)) return REDACTED;
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value instanceof Error || ArrayBuffer.isView(value)) return value;
  // Objects with their own spelling (dates, URLs) are not ours to take apart.
  if ("toJSON" in value) return value instanceof URL ? cleanText(value.href) : value;
  return depth < DEPTH_MAX ? walk(value, depth + 1) : "[too deep]";
}

/** A text that is no secret; without its passwords if it is a URL. */
export function cleanText(text: string): string {
  if (isSecretText(text)) return REDACTED;
  return text.includes("://") && /[@?]/.test(text) && !/\s/.test(text) ? redactUrl(text) : text;
}

function isSecretName(name: string): boolean {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const verdict = SECRET_NAME.test(name);
  if (verdicts.size < VERDICTS_MAX) verdicts.set(name, verdict);
  return verdict;
}

/** A webhook secret, a bearer token or an API key, as far as a text shows what it is. */
export const isSecretText = (text: string): boolean => SECRET_TEXT.test(text);
