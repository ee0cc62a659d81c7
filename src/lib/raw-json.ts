/**
 * JSON that is already text. `stringify` copies it into its place as it is, so that what was sent keeps its key order,
 * its numbers' spelling (`12345678901234567890`, `1.0`) and its escapes: nothing parses it on the way.
 */
export class RawJson {
  /** @param text valid JSON; nobody checks it again */
  constructor(readonly text: string) {}

  /** What JSON.stringify asks for. */
  toJSON(): unknown {
    if (texts === null) return JSON.parse(this.text);
    texts.push(this.text);
    return hole;
  }
}

/** Stands where a text belongs while the rest is written. Nobody else knows it, so that no value can hold it. */
const hole = crypto.randomUUID();
const quotedHole = JSON.stringify(hole);
/** The texts that belong into the holes, in their order; null while `stringify` does not run. */
let texts: string[] | null = null;

/** `JSON.stringify` for plain data (objects, arrays, strings, numbers, booleans, null) with `RawJson` in it. */
export function stringify(value: unknown): string {
  const filling: string[] = [];
  texts = filling;
  let text: string;
  try {
    text = JSON.stringify(value) ?? "null";
  } finally {
    texts = null;
  }
  let from = 0;
  let filled = "";
  for (const raw of filling) {
    const at = text.indexOf(quotedHole, from);
    filled += text.slice(from, at) + raw;
    from = at + quotedHole.length;
  }
  return filled + text.slice(from);
}
