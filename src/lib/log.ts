import type pino from "pino";

/** What the parts of the program log through; `createLogger` makes the root one. */
export type Logger = pino.Logger;
