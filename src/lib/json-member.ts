/**
 * Finds the text of a member in a JSON object, so that a value can be passed on byte for byte: parsing it would lose
 * the spelling of numbers (`1.0`, `12345678901234567890`) and, for keys that look like integers, their order.
 */

const quote = 0x22;
const backslash = 0x5c;

/**
 * @param text an object that JSON.parse accepts; anything else gives an undefined answer
 * @returns the member's value as it is spelled, without the white space around it, or null when there is none. Of
 *   several members with that name it is the last, as in JSON.parse.
 */
export function jsonMember(text: string, name: string): string | null {
  let found: string | null = null;
  let at = skipSpace(text, text.indexOf("{") + 1);
  while (text.charCodeAt(at) === quote) {
    const keyEnd = skipString(text, at);
    const key = text.slice(at + 1, keyEnd - 1);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, start);
    if (key === name || (key.includes("\\") && JSON.parse(`"${key}"`) === name))
      found = text.slice(start, end);
    // Past the comma, or onto the closing brace, which ends the loop.
    at = skipSpace(text, skipSpace(text, end) + 1);
  }
  return found;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 0x20 || (code >= 0x09 && code <= 0x0d); )
    code = text.charCodeAt(++at);
  return at;
}

/** From an opening quote to just past the closing one. */
function skipString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

/** A quote is escaped by an odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text.charCodeAt(start - 1) === backslash) start -= 1;
  return (at - start) % 2 === 1;
}

/** From the first character of a value to just past its last. */
function skipValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === quote) return skipString(text, from);
  let at = from;
  let depth = 0;
  for (;;) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = skipString(text, at);
        continue;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (depth === 0) return trimEnd(text, from, at);
        depth -= 1;
        if (depth === 0) return at + 1;
        break;
      case 0x2c: // ,
        if (depth === 0) return trimEnd(text, from, at);
        break;
    }
    at += 1;
    if (at > text.length) return text.length;
  }
}

function trimEnd(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return end;
}
