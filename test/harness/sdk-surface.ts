/** What an SDK can do, found by looking at it: so that a method of its next version can't be forgotten. */

export type SdkMethod = {
  /** `endpoint.headers.update` */
  name: string;
  call(...args: unknown[]): Promise<unknown>;
};

/** Every method of a client and of the resources in it. */
export function methodsOf(client: object, at = ""): SdkMethod[] {
  return memberNames(client).flatMap((name): SdkMethod[] => {
    if (name.startsWith("_") || name === "requestCtx") return [];
    const member = (client as Record<string, unknown>)[name];
    if (typeof member === "function") {
      return [{ name: at + name, call: async (...args) => (await member.apply(client, args)) as unknown }];
    }
    return typeof member === "object" && member !== null ? methodsOf(member, `${at}${name}.`) : [];
  });
}

function memberNames(object: object): string[] {
  const names = new Set<string>();
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== "constructor") names.add(name);
  }
  return [...names];
}

/** The request that a method makes, with `<0>`, `<1>` … where its arguments went. */
export type Recorded = { name: string; method: string; path: string; hasBody: boolean; args: unknown[] };

/** Calls each method with its arguments' numbers, of a server that only listens. */
export async function record(connect: (url: string) => object): Promise<Recorded[]> {
  const seen: Omit<Recorded, "name" | "args">[] = [];
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname);
      seen.push({ method: request.method, path, hasBody: (await request.text()) !== "" });
      return Response.json({});
    },
  });
  const recorded: Recorded[] = [];
  // A list of events is the one body that is looked into before it is sent.
  const tries = [
    ["<0>", "<1>", "<2>", "<3>"],
    ["<0>", { events: [] }],
  ];
  for (const { name, call } of methodsOf(connect(`http://127.0.0.1:${server.port}`))) {
    seen.length = 0;
    for (const args of tries) {
      // What comes back is no answer to anything: only the request counts.
      await call(...args).catch(() => {});
      const [request] = seen;
      if (request === undefined) continue;
      recorded.push({ name, args, ...request });
      break;
    }
    if (seen.length === 0) throw new Error(`${name} asked for nothing`);
  }
  await server.stop(true);
  return recorded;
}
