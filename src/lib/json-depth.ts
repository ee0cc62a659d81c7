const quote = 0x22;
const backslash = 0x5c;

/**
 * Whether lists and objects stand in each other more than `depthMax` deep, told before anything walks them: what
 * recurses over a value, here or in the database, has a stack that ends somewhere.
 * @param text JSON or what claims to be
 */
export function isDeeperThan(text: string, depthMax: number): boolean {
  // Each level takes two characters.
  if (text.length <= 2 * depthMax) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(text, at);
      if (at === -1) return false;
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return false;
}

/** The closing quote of the string that opens there; -1 when it has none. */
function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let start = end;
    while (text.charCodeAt(start - 1) === backslash) start -= 1;
    if ((end - start) % 2 === 0) return end;
  }
  return -1;
}
