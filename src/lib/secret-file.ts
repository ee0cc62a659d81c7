import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * The secret in a file, made at the first call: 32 random bytes as base64url, readable by its owner only.
 * Any number of processes may call at once; all get the same secret.
 * @throws Error when the file can't be made or read, or is empty.
 */
export async function readOrCreateSecret(path: string): Promise<string> {
  return (await readSecret(path)) ?? (await createSecret(path));
}

/** The secret in a file; undefined when there is no file. @throws Error when it can't be read, or is empty */
export async function readSecret(path: string): Promise<string | undefined> {
  try {
    const secret = (await readFile(path, "utf8")).trim();
    if (secret === "") throw new Error(`The secret file ${path} is empty; remove it to have a new one made.`);
    return secret;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

// A link appears whole or not at all, and never over another: nobody can read a half-written secret.
async function createSecret(path: string): Promise<string> {
  const secret = randomBytes(32).toString("base64url");
  const draft = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${secret}\n`);
    await file.sync();
    await link(draft, path);
    return secret;
  } catch (error) {
    const made = hasCode(error, "EEXIST") ? await readSecret(path) : undefined;
    if (made === undefined) throw error;
    return made;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
