/**
 * `bun openapi-types.ts <document.json>`: the document as TypeScript, on stdout. openapi-typescript builds syntax with
 * TypeScript 5's own API, which TypeScript 7 no longer has: it gets that one in place of ours, in this process only.
 */
import { plugin } from "bun";
import * as typescript5 from "typescript-5";

plugin({
  name: "typescript-5",
  setup(build) {
    build.module("typescript", () => ({
      exports: { ...typescript5, default: typescript5 },
      loader: "object",
    }));
  },
});
const { astToString, default: openapiTS } = await import("openapi-typescript");
const document = await Bun.file(process.argv[2] ?? "").json();
process.stdout.write(astToString(await openapiTS(document)));
