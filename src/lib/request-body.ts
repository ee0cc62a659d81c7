/**
 * Reads a request's body as UTF-8 text and never holds more than `bytesMax` of it.
 * @param tooLarge what to throw when there is more
 * @throws TypeError when the bytes are not UTF-8
 */
export async function readBody(request: Request, bytesMax: number, tooLarge: () => Error): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (announced > bytesMax) throw tooLarge();
  if (request.body === null) return "";
  // An announced length is enforced by the server, so that the body can be taken whole.
  const bytes = Number.isNaN(announced)
    ? await readCapped(request.body, bytesMax, tooLarge)
    : new Uint8Array(await request.arrayBuffer());
  return strictUtf8.decode(bytes);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

async function readCapped(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
  tooLarge: () => Error,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
