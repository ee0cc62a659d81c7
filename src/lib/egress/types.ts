/** One POST. */
export type EgressRequest = {
  url: string;
  /** Sent in this order and with this spelling. `host`, `accept-encoding` and framing headers are Egress's own. */
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** Milliseconds for the whole exchange: name resolution, connecting, sending, headers and body. */
  timeoutMs: number;
  /** Bytes of response body that are read; the connection is cut where more arrives. */
  responseBytesMax: number;
};

export type EgressFailureReason =
  /** The address or name is one that may not be called; nothing was sent. */
  | "blocked"
  /** The name has no address, or none could be found out; nothing was sent. */
  | "dns"
  /** No connection came about; nothing was sent. */
  | "connect"
  /** The certificate or the TLS handshake is not acceptable; nothing was sent. */
  | "tls"
  | "timeout"
  /** By `close()`. */
  | "aborted"
  /** The request cannot be sent as HTTP, or what came back is not a whole HTTP response. */
  | "protocol";

export type EgressResponse = {
  kind: "response";
  status: number;
  /** Names in lower case; repeated headers joined with ", ". Without a prototype. */
  headers: Record<string, string>;
  /** At most `responseBytesMax` bytes. */
  body: Uint8Array;
  /** True when there was more body than was read. */
  truncated: boolean;
  durationMs: number;
};

export type EgressFailure = {
  kind: "failure";
  reason: EgressFailureReason;
  /** Readable, and fit to be shown to the owner of the URL. */
  message: string;
  durationMs: number;
};

export type EgressOutcome = EgressResponse | EgressFailure;

/** Why an exchange failed, before its duration is known. */
export type Failure = { reason: EgressFailureReason; message: string };

/** All addresses of a host name, as text. Rejects when there are none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

export type Egress = {
  /** Never rejects for what the network, the receiver or the request's own content does. */
  post(request: EgressRequest): Promise<EgressOutcome>;
  /** Ends every exchange under way as "aborted" and closes every connection. Safe to call twice. */
  close(): void;
};
