/**
 * One keep-alive HTTP/1.1 connection that sends the same request over and over, a message's moment and number written
 * into it, one in flight. Only what our server answers with is understood: a status and a content-length.
 */
import type { Socket } from "bun";
import { nowMs } from "./clock.ts";
import { messageBody, numberText, payloadFields, stampText } from "./payload.ts";

export type Target = { port: number; path: string; token: string; run: number };

export type Connection = {
  /** @param dueMs when it should have gone, for a message that had to wait for a connection; else now */
  send(n: number, dueMs?: number): void;
  end(): void;
};

export type Events = {
  answered(connection: Connection, status: number, sentMs: number, text: string): void;
  /** The server closed it, or it broke; a request that was in flight is lost. */
  lost(connection: Connection, reason: string): void;
};

export async function openConnection(target: Target, events: Events): Promise<Connection> {
  const { bytes, bodyAt } = requestBytes(target);
  const atAt = bodyAt + payloadFields.at.at;
  const numberAt = bodyAt + payloadFields.number.at;
  let sentMs = 0;
  let received = "";
  let unwritten: Uint8Array | null = null;
  let ended = false;

  const lose = (reason: string) => {
    if (ended) return;
    ended = true;
    events.lost(connection, reason);
  };
  const socket: Socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: target.port,
    socket: {
      data(_, chunk) {
        received += chunk.toString("latin1");
        const headEnd = received.indexOf("\r\n\r\n");
        if (headEnd < 0) return;
        const length = /\r\ncontent-length: *(\d+)/i.exec(received)?.[1];
        if (length === undefined) throw new Error(`an answer without a length: ${received.slice(0, 300)}`);
        if (received.length < headEnd + 4 + Number(length)) return;
        const text = received;
        received = "";
        events.answered(connection, Number(text.slice(9, 12)), sentMs, text);
      },
      drain() {
        const rest = unwritten;
        unwritten = null;
        if (rest !== null) write(rest);
      },
      close: () => lose("closed by the server"),
      error: (_, error) => lose(error.message),
    },
  });
  const write = (data: Uint8Array) => {
    const written = Math.max(0, socket.write(data));
    if (written < data.length) unwritten = data.slice(written);
  };
  const connection: Connection = {
    send(n, dueMs) {
      sentMs = dueMs ?? nowMs();
      bytes.write(stampText(sentMs), atAt, "latin1");
      bytes.write(numberText(n), numberAt, "latin1");
      write(bytes);
    },
    end() {
      ended = true;
      socket.end();
    },
  };
  return connection;
}

function requestBytes({ port, path, token, run }: Target): { bytes: Buffer; bodyAt: number } {
  const body = messageBody(run);
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body.text)}`,
    "\r\n",
  ].join("\r\n");
  return { bytes: Buffer.from(head + body.text), bodyAt: Buffer.byteLength(head) + body.payloadAt };
}
