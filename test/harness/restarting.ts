/** A program that starts itself over, once: prints what it was started with. */
import { restartWith } from "../../src/lib/restart.ts";

const args = process.argv.slice(2);
console.log("at", process.pid);
restartWith({ SET_BEFORE: "new", SET_NOW: "a b=ü" });
console.log(JSON.stringify({ pid: process.pid, args, env: [process.env.SET_BEFORE, process.env.SET_NOW] }));
