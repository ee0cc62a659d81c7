import { defineCommand } from "citty";
import { describeApp } from "../src/app.ts";

export default defineCommand({
  meta: { name: "openapi", description: "Print the API's OpenAPI 3.1 document." },
  run() {
    process.stdout.write(`${JSON.stringify(describeApp(), null, 2)}\n`);
  },
});
