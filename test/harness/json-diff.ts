/** What became of a JSON document, a line for each place where the two differ: `+` added, `-` gone, `~` changed. */
export function jsonDiff(before: unknown, after: unknown, at = ""): string[] {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => {
      const path = `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (!(key in before)) return [`+ ${path}: ${shortly(after[key])}`];
      if (!(key in after)) return [`- ${path}: ${shortly(before[key])}`];
      return jsonDiff(before[key], after[key], path);
    });
  }
  return Object.is(before, after) ? [] : [`~ ${at}: ${shortly(before)} → ${shortly(after)}`];
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function shortly(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
