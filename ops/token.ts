import { defineCommand } from "citty";
import { environment, loadConfig } from "../src/config.ts";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { durationSeconds } from "../src/lib/cli-values.ts";
import { type IdPrefix, isId } from "../src/lib/ids.ts";
import { defaultOrgId, findJwtSecret, signToken } from "../src/services/tokens.ts";

const YEARS_100_SECONDS = 3_153_600_000;

export default extendCommand(
  defineCommand({
    meta: {
      name: "token",
      description:
        "Print an org token, or an app token with --app. Needs the JWT_SECRET of serve; embedded, the one in DATA_DIR.",
    },
    args: {
      org: {
        type: "string",
        description: "The org: your tenant.",
        default: defaultOrgId,
        valueHint: "org_…",
      },
      app: {
        type: "string",
        description: "The application that the token is limited to.",
        valueHint: "app_…",
      },
      expires: {
        type: "string",
        description: "How long it is valid, like 3600s, 28d or 10y. (Default: 10y, with --app 28d)",
        valueHint: "duration",
      },
    },
    async run({ args }) {
      const org = checkId("org", "org_", args.org);
      const app = args.app === undefined ? undefined : checkId("app", "app_", args.app);
      const expiresInSeconds = durationSeconds("expires", args.expires ?? (app ? "28d" : "10y"), {
        min: 1,
        max: YEARS_100_SECONDS,
      });
      const config = loadConfig(environment(), "ops");
      const secret = await findJwtSecret(config);
      if (secret === null) {
        throw new UsageError(
          config.embedded
            ? `There is no secret in DATA_DIR ${config.dataDir}: app serve makes it at its first start. Set DATA_DIR, or JWT_SECRET, as serve has it.`
            : "JWT_SECRET is not set; with DATABASE_URL, tokens need it.",
        );
      }
      const token = await signToken({
        secret,
        subject: app ?? org,
        org: app && org,
        expiresInSeconds,
      });
      process.stdout.write(`${token}\n`);
    },
  }),
  {
    sections: () => [
      {
        title: "EXAMPLES",
        body: "  app ops token\n  app ops token --app app_2y6rkTqDGfhN0pQcnKp7HVzq3Ba --expires 3600s",
      },
    ],
  },
);

function checkId(flag: string, prefix: IdPrefix, text: string): string {
  if (isId(prefix, text)) return text;
  throw new UsageError(`--${flag} is ${prefix} and 27 letters and digits; got ${JSON.stringify(text)}.`);
}
