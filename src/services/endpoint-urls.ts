import { invalid } from "./errors.ts";

/** The URL as it will be called: host lower-cased, path never empty. 422 unless it is http or https (or https only). */
export function checkEndpointUrl(text: string, rules: { httpsOnly: boolean }): string {
  const url = URL.parse(text);
  if (url === null) throw invalid(["body", "url"], "is not a URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw invalid(["body", "url"], "must be http or https");
  }
  if (rules.httpsOnly && url.protocol !== "https:") throw invalid(["body", "url"], "must be https");
  return url.href;
}
