import { isSensitive } from "./header-rules.ts";

/** A header as it is kept; without its value when that is known to be a credential. */
export type KeptHeader = [name: string, value: string | null];

/** Of each direction; receivers send a few hundred bytes. */
const keptLengthMax = 8_192;
/** A receiver's own sessions are nobody's business here. */
const responseCredential = "set-cookie";

/** Headers as they are stored with an attempt: JSON, the first 8 KB of them, credentials by name only. */
export function keepHeaders(headers: Record<string, string>): string {
  const kept: string[] = [];
  let length = 0;
  for (const name in headers) {
    const hidden = isSensitive(name) || name === responseCredential;
    const text = JSON.stringify([name, hidden ? null : headers[name]]);
    length += text.length;
    if (length > keptLengthMax) break;
    kept.push(text);
  }
  return `[${kept.join(",")}]`;
}

export const readHeaders = (stored: string): KeptHeader[] => JSON.parse(stored);
