import { hostname, userInfo } from "node:os";

/** Who runs the script, for the audit log: `user@host`. */
export function operatorName(): string {
  return `${userName()}@${hostname()}`;
}

/** In a container the user often has a number and no name, which `userInfo` takes for an error. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
