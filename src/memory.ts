import { restartWith } from "./lib/restart.ts";

/**
 * How a process that runs for long holds its memory. Under load a garbage collection frees what is wanted again a moment
 * later; as Bun comes, the kernel gets it back meanwhile, and hands it out again page by page. Both are read as the
 * process starts, from the environment alone.
 */
const settings = {
  // How long freed memory stays with the process, in milliseconds: mimalloc's own default, where Bun has 100, about as
  // long as from one collection to the next (https://microsoft.github.io/mimalloc/environment.html,
  // https://github.com/oven-sh/bun/issues/42942).
  MIMALLOC_PURGE_DELAY: "1000",
  // No thread that keeps new blocks of the heap resident ahead of time: with it a block that is free again is not the
  // next one in use, and a quarter of a delivery's processor time goes into page faults. An option of Bun's
  // JavaScriptCore, listed by BUN_JSC_dumpOptions=3; a Bun that doesn't know it any more refuses to start, so that the
  // smoke test tells.
  BUN_JSC_useWarmUpMarkedBlocks: "false",
};

const runsForLong = ["serve", "worker"].includes(process.argv[2] ?? "");
// Of the executable only: who runs the sources has an environment of his own.
if (Bun.isStandaloneExecutable && runsForLong) restartWith(settings);
