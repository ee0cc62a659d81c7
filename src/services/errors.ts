/** Every code that an error body can carry, with its HTTP status and the text that clients have come to expect. */
export const errorCodes = {
  generic_error: { status: 400, detail: "Bad request." },
  invalid_range: { status: 400, detail: "Invalid range." },
  limit_reached: { status: 400, detail: "Limit reached." },
  missing_payload: { status: 400, detail: "The message's payload has expired or was expunged." },
  invalid_scheme: { status: 400, detail: "The event type has no example in its schemas." },
  authentication_failed: { status: 401, detail: "Invalid token" },
  "insufficient access": { status: 403, detail: "Insufficient access for the given operation." },
  not_found: { status: 404, detail: "Entity not found" },
  conflict: { status: 409, detail: "A conflict has occurred" },
  event_type_exists: { status: 409, detail: "An event type with this name already exists" },
  idempotency_conflict: { status: 409, detail: "This idempotency key was used with another request body" },
  payload_too_large: { status: 413, detail: "Request payload is too large." },
  validation: { status: 422, detail: "Validation failed" },
  server_error: { status: 500, detail: "Internal Server Error" },
  not_implemented: { status: 501, detail: "This API endpoint is not yet implemented." },
  request_in_progress: {
    status: 503,
    detail: "A request with this idempotency key is still running. Try again shortly.",
  },
  unavailable: { status: 503, detail: "The database can't be used at the moment. Try again shortly." },
  overloaded: { status: 503, detail: "Too many requests are waiting. Try again shortly." },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Where the bad value stood (`["body", "url"]`), what is wrong with it, and the kind of fault. */
export type ValidationIssue = { loc: string[]; msg: string; type: string };

type AppErrorOptions = {
  /** Shown to the client in place of the code's usual text. */
  detail?: string;
  /** Logged, never shown. */
  internal?: string;
  cause?: unknown;
  issues?: ValidationIssue[];
};

/** A failure with a name. Everything else that is thrown is a fault of ours and leaves as an opaque 500. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly issues: ValidationIssue[];

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    const detail = options.detail ?? errorCodes[code].detail;
    super(
      options.internal ?? `${code}: ${detail}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "AppError";
    this.code = code;
    this.status = errorCodes[code].status;
    this.detail = detail;
    this.issues = options.issues ?? [];
  }
}

export const notFound = () => new AppError("not_found");

/** A 422 about one value: `invalid(["body", "url"], "must be http or https")`. */
export const invalid = (loc: string[], msg: string, type = "value_error") =>
  new AppError("validation", { issues: [{ loc, msg, type }] });

/** The body that goes over the wire. */
export function errorBody(error: AppError): object {
  return error.code === "validation" ? { detail: error.issues } : { code: error.code, detail: error.detail };
}
