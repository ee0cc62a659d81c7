/** Elysia, by the only door: what stands before it has to run before it is loaded. */
import "./production.ts";

export { type AnyElysia, Elysia, ElysiaCustomStatusResponse, ValidationError } from "elysia";
