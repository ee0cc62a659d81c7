/**
 * L1, a process of its own: `bun test/bench/limit-posts.ts '<PostsOptions>'` prints how many signed POSTs a second a
 * bare Bun loop gets through, with nothing around it.
 */
import { newId } from "../../src/lib/ids.ts";
import { sign } from "../../src/services/standard-webhooks.ts";
import { parseSecret } from "../../src/services/webhook-secrets.ts";
import { cpuShare, nowMs } from "./clock.ts";
import { payloadText } from "./payload.ts";

export type PostsOptions = { url: string; inFlight: number; secret: string; seconds: number; run: number };
export type PostsResult = { perSecond: number; cpu: number };

const warmMs = 500;

async function main({ url, inFlight, secret, seconds, run }: PostsOptions): Promise<PostsResult> {
  const keys = [parseSecret(secret)];
  const countsFromMs = nowMs() + warmMs;
  const endsMs = countsFromMs + seconds * 1_000;
  const cpu = cpuShare();
  let sent = 0;
  let counted = 0;
  const post = async () => {
    for (;;) {
      const now = nowMs();
      if (now >= endsMs) return;
      sent += 1;
      const id = newId("msg_");
      const timestamp = Math.floor(Date.now() / 1_000);
      const body = payloadText(now, run, sent);
      const headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": sign(keys, id, timestamp, body),
      };
      const response = await fetch(url, { method: "POST", headers, body, redirect: "manual" });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`the receiver answered ${response.status}`);
      if (now >= countsFromMs) counted += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, post));
  return { perSecond: (counted * 1_000) / (nowMs() - countsFromMs), cpu: cpu() };
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2] ?? "{}") as PostsOptions)));
process.exit(0);
