/** Promise.all that waits for the others when one fails: nothing is under way any more when it rejects, with the first. */
export async function allEnded<T extends readonly unknown[] | []>(
  parts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}
