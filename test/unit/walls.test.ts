import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Glob } from "bun";
import { configMarkdown } from "../../src/config.ts";

const root = join(import.meta.dir, "../..");

type Source = { path: string; text: string; imports: string[] };

/** Every file of ours, with what it imports: a path from the root, or a package's name. Types count too. */
const sources: Source[] = [...new Glob("{src,ops}/**/*.ts").scanSync(root)].sort().map((path) => {
  const text = readFileSync(join(root, path), "utf8");
  const specifiers = text.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g);
  const imports = [...specifiers].map(([, specifier = ""]) =>
    specifier.startsWith(".") ? relative(root, join(root, dirname(path), specifier)) : specifier,
  );
  return { path, text, imports };
});

function offenders(under: string, forbidden: RegExp, except?: RegExp): string[] {
  const own = sources.filter(({ path }) => path.startsWith(under) && !except?.test(path));
  return own.flatMap(({ path, imports }) =>
    imports.filter((name) => forbidden.test(name)).map((name) => `${path} imports ${name}`),
  );
}

const saying = (pattern: RegExp, except: RegExp): string[] =>
  sources
    .filter(({ path, text }) => !except.test(path) && pattern.test(withoutComments(text)))
    .map(({ path }) => path);

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

test("there is something to look at", () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(offenders("src/routes/", /^src\/services\//)).not.toEqual([]);
  expect(offenders("src/repos/", /^drizzle-orm/)).not.toEqual([]);
});

test.each<{ wall: string; under: string; forbidden: RegExp; except?: RegExp }>([
  {
    wall: "routes reach data through services only",
    under: "src/routes/",
    forbidden: /^(src\/(repos|models)\/|drizzle-orm|postgres$)/,
  },
  {
    wall: "services know nothing of routes, nor of who runs them",
    under: "src/services/",
    forbidden: /^src\/(routes|tasks|commands|app\.ts)/,
  },
  {
    wall: "tasks know nothing of HTTP",
    under: "src/tasks/",
    forbidden: /^src\/(routes|commands|app\.ts|lib\/elysia)/,
  },
  {
    wall: "repos know nothing of the rules",
    under: "src/repos/",
    forbidden: /^src\/(services|routes|schemas|tasks|commands|config\.ts)/,
  },
  {
    wall: "operators' scripts reach data through services only",
    under: "ops/",
    forbidden: /^(src\/(repos|routes|tasks)\/|drizzle-orm|postgres$)/,
  },
  { wall: "models know nothing but columns", under: "src/models/", forbidden: /^src\/(?!models\/|lib\/)/ },
  {
    wall: "schemas know no data",
    under: "src/schemas/",
    forbidden: /^(src\/(repos|models|routes|tasks|commands)\/|drizzle-orm)/,
  },
  {
    wall: "lib knows nothing outside itself",
    under: "src/lib/",
    forbidden: /^(src\/(?!lib\/)|ops\/|migrations\/)/,
  },
  { wall: "Elysia comes by one door", under: "", forbidden: /^elysia$/, except: /^src\/lib\/elysia\// },
  {
    wall: "only main.ts reaches commands",
    under: "",
    forbidden: /^src\/commands\//,
    except: /^src\/(main\.ts$|commands\/)/,
  },
  {
    wall: "only egress speaks to the network",
    under: "",
    forbidden: /^(node:)?(net|tls|http|https|http2|dgram|dns|dns\/promises)$/,
    except: /^src\/lib\/egress\//,
  },
])("$wall", ({ under, forbidden, except }) => {
  expect(offenders(under, forbidden, except)).toEqual([]);
});

test("only egress dials out; ops health asks this machine, ops import-svix whom the operator names", () => {
  const dialling = /(?<![.\w])fetch\(|Bun\.(connect|udpSocket)\b|new WebSocket\b/;
  // A server's handler is called fetch too.
  const handlers = sources.map((source) => ({
    ...source,
    text: source.text.replace(/\basync fetch\(/g, "handle("),
  }));
  const found = handlers.filter(({ text }) => dialling.test(withoutComments(text))).map(({ path }) => path);
  expect(found.filter((path) => !path.startsWith("src/lib/egress/"))).toEqual([
    "ops/health.ts",
    "src/services/svix-source.ts",
  ]);
});

test("only config.ts reads the environment", () => {
  expect(
    saying(/(process|Bun)\.env\b|import\.meta\.env\b/, /^src\/(config|lib\/elysia\/production)\.ts$/),
  ).toEqual([]);
});

test("the README's table of variables is the code's", () => {
  // Biome pads a table's cells.
  const unpadded = (text: string) => text.replace(/ *\| */g, "|").replace(/-+\|/g, "-|");
  expect(unpadded(readFileSync(join(root, "README.md"), "utf8"))).toContain(unpadded(configMarkdown()));
});
