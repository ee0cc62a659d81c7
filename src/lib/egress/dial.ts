import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { codeOf, failureOf, type Stage } from "./failures.ts";
import { connectRequest, judgeConnectAnswer, type ProxyServer } from "./proxy.ts";
import type { Target } from "./target.ts";
import type { Failure } from "./types.ts";

export type Dialled = (result: Socket | Failure) => void;

/** Sockets come from here only, and only for an address: nothing below this line resolves a target's name. */
export type Dial = (target: Target, address: string, done: Dialled) => () => void;

const ALPN = ["http/1.1"];

/** TLS on a fresh connection, or inside `tunnel`. The certificate is checked whatever the environment says. */
function startTls(target: Target, address: string, tunnel?: Socket): Socket {
  const identity = target.serverName === null ? {} : { servername: target.serverName };
  const way = tunnel === undefined ? { port: target.port } : { socket: tunnel };
  return connectTls({ host: address, ...way, ...identity, ALPNProtocols: ALPN, rejectUnauthorized: true });
}

/** Waits for `ready`, then hands over the socket without a listener of its own left on it. */
function settle(socket: Socket, tls: boolean, startStage: Stage, done: Dialled): void {
  let stage: Stage = startStage;
  const onConnect = () => {
    stage = "tls";
    if (!tls) finish(socket);
  };
  const onSecure = () => finish(socket);
  const onError = (error: unknown) => finish(failureOf(codeOf(error), stage));
  const onClose = () => finish(failureOf("ECONNRESET", stage));
  function finish(result: Socket | Failure): void {
    socket
      .off("connect", onConnect)
      .off("secureConnect", onSecure)
      .off("error", onError)
      .off("close", onClose);
    if (result !== socket) {
      socket.on("error", ignore);
      socket.destroy();
    }
    done(result);
  }
  socket.on("connect", onConnect).on("secureConnect", onSecure).on("error", onError).on("close", onClose);
}

const ignore = (): void => {};

/** Nobody listens any more: a late error must not become an uncaught one. */
function drop(socket: Socket): void {
  socket.removeAllListeners().on("error", ignore).destroy();
}

export const dialDirectly: Dial = (target, address, done) => {
  const socket = target.tls
    ? startTls(target, address)
    : connectTcp({ host: address, port: target.port, noDelay: true });
  if (target.tls) socket.setNoDelay(true);
  settle(socket, target.tls, "connect", done);
  return () => drop(socket);
};

/**
 * Asks the proxy for a tunnel to the checked address itself, for http as for https: the proxy resolves nothing, so
 * what DNS says to it does not matter. The proxy's own address is the operator's choice and not checked.
 */
export function dialThrough(proxy: ProxyServer): Dial {
  return (target, address, done) => {
    const outer = proxy.tls
      ? connectTls({ host: proxy.host, port: proxy.port, ALPNProtocols: ALPN, rejectUnauthorized: true })
      : connectTcp({ host: proxy.host, port: proxy.port, noDelay: true });
    let inner: Socket | undefined;
    const fail = (message: string) => {
      drop(outer);
      done({ reason: "connect", message });
    };
    const ask = () => {
      let received: Buffer = Buffer.alloc(0);
      const onGone = () => fail("the egress proxy closed the connection");
      const onData = (data: Buffer) => {
        received = Buffer.concat([received, data]);
        const answer = judgeConnectAnswer(received);
        if (answer === null) return;
        outer.off("data", onData).off("error", onGone).off("close", onGone);
        if (answer !== true) return fail(answer.message);
        if (!target.tls) return done(outer);
        outer.on("error", ignore);
        inner = startTls(target, address, outer);
        settle(inner, true, "tls", done);
      };
      outer.on("data", onData).on("error", onGone).on("close", onGone);
      outer.write(connectRequest(proxy, address, target.port));
    };
    settle(outer, proxy.tls, "connect", (result) => {
      if (result === outer) ask();
      else done({ reason: "connect", message: "the egress proxy can't be reached" });
    });
    return () => {
      if (inner !== undefined) drop(inner);
      drop(outer);
    };
  };
}
