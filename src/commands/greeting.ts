import { defaultOrgId, signToken } from "../services/tokens.ts";

const tenYearsSeconds = 10 * 365 * 86_400;

/** For whoever starts it the first time: a token, and a first message to paste. */
export async function greeting(url: string, jwtSecret: string, reachesLoopback: boolean): Promise<string> {
  const grant = { secret: jwtSecret, subject: defaultOrgId, expiresInSeconds: tenYearsSeconds };
  return textOf(url, await signToken(grant), reachesLoopback ? "" : blocked);
}

const blocked = `
Deliveries to 127.0.0.1 are refused as things are. To see this one arrive, start again with EGRESS_ALLOW=127.0.0.0/8
`;

const textOf = (url: string, token: string, note: string): string => `
Posthorn is up: ${url}

A token for everything (keep it to yourself; \`ops token\` makes others):

  export POSTHORN_TOKEN=${token}

A first message. In another terminal, a receiver that prints what arrives:

  bun src/main.ts ops receive --port 8079      # with the executable: ./app ops receive --port 8079

and then:

  post() { curl -sS -X POST "${url}/api/v1$1" -H "authorization: Bearer $POSTHORN_TOKEN" -H "content-type: application/json" -d "$2"; echo; }
  post /app '{"name":"Acme","uid":"acme"}'
  post /app/acme/endpoint '{"url":"http://127.0.0.1:8079/"}'
  post /app/acme/msg '{"eventType":"invoice.paid","payload":{"id":"in_1","amount":12.50}}'
${note}
`;
