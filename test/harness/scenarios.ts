import { expect, test } from "bun:test";
import type { Answer, Api, RequestOptions } from "./api.ts";
import { expectShape, type ShapeName } from "./shapes.ts";

/** A request and what its answer must and must not be. They run in order: each finds what those before it left. */
export type Scenario = Omit<RequestOptions, "token"> & {
  name: string;
  request: `${"GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"} /${string}`;
  /** A name out of the tokens that the table is run with; null for none. */
  as?: string | null;
  status: number;
  shape?: ShapeName;
  /** The body has at least this. */
  has?: object;
  /** The body's text has none of these. */
  hasNot?: string[];
  code?: string;
  /** Of a 422: where the fault is. */
  at?: string[];
  check?: (answer: Answer) => void | Promise<void>;
};

/** What no answer ever shows. */
const internals = ["Failed query", "insert into", "select ", "postgres", "src/", "node_modules", "enc:v1:"];

export function runScenarios(
  api: () => Api,
  scenarios: Scenario[],
  tokens: () => Record<string, string> = () => ({}),
): void {
  for (const scenario of scenarios) {
    const { name, request, as, status } = scenario;
    test(`${status} ${request}: ${name}`, async () => {
      const [method, path] = request.split(/ (.*)/s) as [string, string];
      const token = as === undefined ? {} : { token: as === null ? null : (tokens()[as] ?? "") };
      const answer = await api().request(method, path, { ...scenario, ...token });
      checkAnswer(answer, scenario);
      await scenario.check?.(answer);
    });
  }
}

function checkAnswer(answer: Answer, scenario: Scenario): void {
  expect({ status: answer.status, body: answer.text.slice(0, 500) }).toEqual({
    status: scenario.status,
    body: answer.text.slice(0, 500),
  });
  if (answer.status === 204) expect(answer.text).toBe("");
  if (answer.status >= 400) {
    expectShape(answer.status === 422 ? "HTTPValidationError" : "HttpErrorOut", answer.body);
  }
  if (scenario.shape) expectShape(scenario.shape, answer.body);
  if (scenario.code) expect(answer.body.code).toBe(scenario.code);
  if (scenario.at) expect(answer.body.detail[0].loc).toEqual(scenario.at);
  if (scenario.has) expect(answer.body).toMatchObject(scenario.has);
  for (const text of [...internals, ...(scenario.hasNot ?? [])]) expect(answer.text).not.toContain(text);
  expect(answer.headers.get("x-request-id")).toMatch(/^[\w.:-]{1,128}$/);
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
}
