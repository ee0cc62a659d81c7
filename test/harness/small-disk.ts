/** A disk of its own that can be filled and freed, which takes root: a file system in memory. */
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./postgres.ts";

export type SmallDisk = {
  folder: string;
  /** Leaves so many bytes free. */
  fill(leaveBytes: number): void;
  /** Takes back what `fill` took. */
  free(): void;
  remove(): void;
};

const mebibyte = 2 ** 20;

/** @returns null where mounting isn't allowed */
export function mountSmallDisk(mebibytes: number): SmallDisk | null {
  const folder = temporaryFolder();
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${mebibytes}m,mode=755`, "tmpfs", folder]);
  if (!mount.success) return null;
  const remove = () => void Bun.spawnSync(["umount", "--lazy", folder]);
  process.once("exit", remove);
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill(leaveBytes) {
      const { bavail, bsize } = statfsSync(folder);
      const zeros = new Uint8Array(mebibyte);
      for (let left = bavail * bsize - leaveBytes; left > 0; left -= mebibyte) {
        writeFileSync(ballast, left < mebibyte ? zeros.subarray(0, left) : zeros, { flag: "a" });
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove() {
      process.off("exit", remove);
      remove();
    },
  };
}
