import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "./api.ts";

/** A page in a real browser, spoken to by the DevTools protocol. */
export type Page = {
  goto(url: string): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until the expression is true in the page. @throws when it isn't in time */
  until(expression: string, what: string): Promise<void>;
  screenshot(path: string): Promise<void>;
  /** What the page complained of: exceptions, errors on the console, what its policy refused, requests that failed. */
  complaints: string[];
  /** Every address that it asked for. */
  requests: string[];
  close(): Promise<void>;
};

export const findChromium = (): string | null =>
  ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    .map((name) => Bun.which(name))
    .find((path) => path !== null) ?? null;

/** A namespace without a network, where this user may make one; without it, the page's requests are looked at only. */
async function offline(): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const wrapped = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "offline"];
  const tried = Bun.spawn([...wrapped, "true"], { stdout: "ignore", stderr: "ignore" });
  return (await tried.exited.catch(() => 1)) === 0 ? wrapped : [];
}

/** What a script of the harness sees in a browser where there is nothing but this machine. @param args after the browser's path */
export async function readOffline(script: string, chromium: string, ...args: string[]): Promise<Json> {
  const wrapped = await offline().catch(() => []);
  if (wrapped.length === 0) console.warn(`no network namespace here: ${script} runs with networking on`);
  const folder = process.env.SCREENSHOTS ? [process.env.SCREENSHOTS] : [];
  const path = join(import.meta.dir, script);
  const reader = Bun.spawn([...wrapped, process.execPath, path, chromium, ...args, ...folder], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, errors] = await Promise.all([reader.stdout.text(), reader.stderr.text()]);
  if ((await reader.exited) !== 0 || errors !== "") throw new Error(`${script}: ${errors}`);
  return JSON.parse(text);
}

const deadlineMs = 60_000;
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
  "--window-size=1280,1600",
];

type Message = {
  id?: number;
  method?: string;
  params?: Record<string, never>;
  result?: never;
  error?: { message: string };
};

export async function openPage(chromium: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), "posthorn-browser-"));
  const browser = Bun.spawn([chromium, ...flags, `--user-data-dir=${profile}`, "about:blank"], {
    stdout: "ignore",
    stderr: "ignore",
  });
  const complaints: string[] = [];
  const requests: string[] = [];
  const port = await poll("a port of the browser's", async () => {
    const file = Bun.file(join(profile, "DevToolsActivePort"));
    return (await file.exists()) ? (await file.text()).split("\n")[0] : undefined;
  });
  // Asked for, and not looked for: which page a browser starts with is its own affair.
  const target = await poll("a page", async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: "PUT" });
    return answer.ok ? ((await answer.json()) as { webSocketDebuggerUrl: string }) : undefined;
  });
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map<number, (message: Message) => void>();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else note(message);
  };
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's events have as many shapes as names
  const note = ({ method, params }: { method?: string; params?: any }) => {
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.text);
    if (method === "Log.entryAdded" && params.entry.level === "error") complaints.push(params.entry.text);
    if (method === "Runtime.consoleAPICalled" && params.type === "error")
      complaints.push(JSON.stringify(params.args.map((one: { value?: unknown }) => one.value)));
    if (method === "Network.loadingFailed") complaints.push(params.errorText);
    if (method === "Network.requestWillBeSent") requests.push(params.request.url);
  };
  let calls = 0;
  const call = (method: string, params: object = {}) =>
    // biome-ignore lint/suspicious/noExplicitAny: the protocol's results have as many shapes as names
    new Promise<any>((resolve, reject) => {
      calls += 1;
      waiting.set(calls, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      socket.send(JSON.stringify({ id: calls, method, params }));
    });
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await call(`${domain}.enable`);
  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${result.description}`);
    return result.value;
  };
  return {
    complaints,
    requests,
    evaluate,
    goto: async (url) => void (await call("Page.navigate", { url })),
    until: async (expression, what) =>
      void (await poll(what, async () => (await evaluate(expression)) === true || undefined)),
    async screenshot(path) {
      await Bun.write(path, Buffer.from((await call("Page.captureScreenshot")).data, "base64"));
    },
    async close() {
      socket.close();
      browser.kill("SIGKILL");
      await browser.exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function poll<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await attempt().catch(() => undefined);
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`there was not ${what} in time`);
    await Bun.sleep(50);
  }
}
