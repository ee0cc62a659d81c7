import { expect, test } from "bun:test";
import { listenUrl } from "../../src/lib/listen-url.ts";

test.each([
  ["127.0.0.1", "http://127.0.0.1:8071"],
  ["localhost", "http://localhost:8071"],
  ["0.0.0.0", "http://127.0.0.1:8071"],
  ["::", "http://[::1]:8071"],
  ["::1", "http://[::1]:8071"],
  ["fd00::7", "http://[fd00::7]:8071"],
])("what listens on %s is reached at %s", (host, url) => {
  expect(listenUrl(host, 8071)).toBe(url);
  expect(new URL(url).port).toBe("8071");
});
