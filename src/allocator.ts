import { restartWith } from "./lib/restart.ts";

/**
 * How long freed memory stays with the process, in milliseconds: mimalloc's own default.
 *
 * Bun's is 100 ms, about as long as it takes under load from one garbage collection to the next. So what the one freed
 * went back to the kernel just before it was needed again, and came back page by page: a fifth of what accepting a
 * message took of the processor. The allocator reads this as the process starts, from the environment alone
 * (https://microsoft.github.io/mimalloc/environment.html, https://github.com/oven-sh/bun/issues/42942).
 */
const settings = { MIMALLOC_PURGE_DELAY: "1000" };

const runsForLong = ["serve", "worker"].includes(process.argv[2] ?? "");
// Of the executable only: who runs the sources has an environment of his own.
if (Bun.isStandaloneExecutable && runsForLong) restartWith(settings);
