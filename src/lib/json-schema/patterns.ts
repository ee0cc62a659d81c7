import { RE2JS } from "re2js";
import { type Run, spend } from "./run.ts";

/** Finds a match anywhere in a text. */
export type Pattern = (text: string, run: Run) => boolean;

const patternCharactersMax = 1_000;
/** Instructions that pass a character in the time of a step. */
const instructionsPerStep = 4;

/**
 * A regular expression on an engine whose time grows with the text's length and no faster: no pattern can hold a
 * process up, however it nests.
 * @returns the search, and the length of its program
 * @throws Error that says why the pattern can't be used
 */
export function compilePattern(pattern: string): { search: Pattern; size: number } {
  if (pattern.length > patternCharactersMax) {
    throw new Error(`must have at most ${patternCharactersMax} characters`);
  }
  const compiled = compile(pattern);
  const size = compiled.programSize();
  const search: Pattern = (text, run) => {
    spend(run, Math.ceil(((text.length + 1) * size) / instructionsPerStep));
    return compiled.test(text);
  };
  return { search, size };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch (error) {
    const why =
      error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : "it can't be read";
    throw new Error(
      `is no regular expression that can be used (without look-around or back-references): ${why}`,
    );
  }
}
