/**
 * `bun run build [--target bun-linux-x64-baseline] [--outfile app]`: the one executable, PostgreSQL and the
 * migrations inside. Another platform's target needs that platform's PostgreSQL package installed.
 */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { PostgresArchive } from "../src/lib/embedded-postgres/archive.ts";
import { mib, packPostgres } from "./postgres-archive.ts";

const root = join(import.meta.dir, "..");
const started = performance.now();
const native = `bun-${process.platform}-${process.arch}`;
const { values } = parseArgs({
  options: {
    target: { type: "string", default: native },
    outfile: { type: "string", default: join(root, "app") },
    entry: { type: "string", default: join(root, "src/main.ts") },
  },
});
const platform = /^bun-((?:linux|darwin)-(?:x64|arm64))(?:-baseline|-modern)?$/.exec(values.target)?.[1];
if (!platform) throw new Error(`There is no PostgreSQL to carry for ${values.target}`);

const packed = await packPostgres(root, platform);
const outfile = resolve(values.outfile);
const built = await Bun.build({
  entrypoints: [resolve(values.entry)],
  compile: {
    target: values.target as Bun.Build.CompileTarget,
    outfile,
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
  // Not identifiers: names of classes and functions stand in logs.
  minify: { syntax: true, whitespace: true },
  sourcemap: "linked",
  // Parsed ahead, it starts a quarter sooner. Elsewhere than where it was built it may crash (oven-sh/bun#18416).
  bytecode: values.target === native,
  // All the way down it would take 100 MB more under load.
  bytecodeDepth: 1,
  format: "esm",
  // What starts the process over need not load the rest for it, nor a command what only others use.
  splitting: true,
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [embedArchive(packed)],
});
for (const log of built.logs) console.warn(String(log));
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${outfile}: ${mib(statSync(outfile).size)} for ${values.target} in ${seconds} s`);

/** Puts the packed PostgreSQL in place of the module that says there is none. */
function embedArchive({ programs, key, cluster }: PostgresArchive): Bun.BunPlugin {
  const asFile = (name: string, path: string) =>
    `import ${name} from ${JSON.stringify(path)} with { type: "file" };\n`;
  return {
    name: "embedded-postgres-archive",
    setup(build) {
      build.onLoad({ filter: /[\\/]embedded-postgres[\\/]archive\.ts$/ }, () => ({
        loader: "ts",
        contents: `${asFile("programs", programs)}${cluster === null ? "const cluster = null;\n" : asFile("cluster", cluster)}
          export const archive = { programs, key: ${JSON.stringify(key)}, cluster };`,
      }));
    },
  };
}
