import { invalid } from "./errors.ts";

const polledUrl = /^poll:[a-zA-Z0-9\-_.]{1,256}$/;

/** Whether it stands for an endpoint that is read instead of called: `poll:` and a name. */
export const isPolledUrl = (text: string): boolean => polledUrl.test(text);

/**
 * The URL as it will be called: host lower-cased, path never empty; one for polling as it is. 422 unless it is http,
 * https (or https only) or that.
 */
export function checkEndpointUrl(text: string, rules: { httpsOnly: boolean }): string {
  if (isPolledUrl(text)) return text;
  const url = URL.parse(text);
  if (url === null) throw invalid(["body", "url"], "is not a URL");
  if (url.protocol === "poll:") throw invalid(["body", "url"], "must be `poll:` and a name");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw invalid(["body", "url"], "must be http or https");
  }
  if (rules.httpsOnly && url.protocol !== "https:") throw invalid(["body", "url"], "must be https");
  return url.href;
}

/** 422 for a URL to poll, where there is nothing to read. */
export function refusePolledUrl(text: string): void {
  if (isPolledUrl(text)) throw invalid(["body", "url"], "must be http or https");
}
