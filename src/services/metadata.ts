import { isText } from "../schemas/common.ts";
import { invalid } from "./errors.ts";

const metadataBytesMax = 4096;

/** Returns it unchanged; 422 when its JSON is larger than 4,096 bytes or a key is no text. */
export function checkMetadata(metadata: Record<string, string>): Record<string, string> {
  if (Buffer.byteLength(JSON.stringify(metadata)) > metadataBytesMax) {
    throw invalid(["body", "metadata"], `must have at most ${metadataBytesMax} bytes as JSON`);
  }
  if (!Object.keys(metadata).every(isText)) {
    throw invalid(["body", "metadata"], "a key has control characters or half a surrogate pair");
  }
  return metadata;
}
