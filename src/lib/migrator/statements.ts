/**
 * Splits SQL at its top-level semicolons: not inside quotes, dollar quotes, comments. Several statements sent at
 * once form one implicit transaction, in which `CREATE INDEX CONCURRENTLY` and its like are refused.
 * Not understood: bodies in `BEGIN ATOMIC … END`; quote them with dollars.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let meaningful = false;
  for (let at = 0; at < sql.length; ) {
    const next = skipToken(sql, at);
    const token = sql.slice(at, next);
    if (token === ";") {
      if (meaningful) statements.push(sql.slice(start, at).trim());
      start = next;
      meaningful = false;
    } else if (!isComment(token) && token.trim() !== "") {
      meaningful = true;
    }
    at = next;
  }
  if (meaningful) statements.push(sql.slice(start).trim());
  return statements;
}

function isComment(token: string): boolean {
  return token.startsWith("--") || token.startsWith("/*");
}

/** Where the token that begins at `at` ends; whatever isn't quoted or a comment counts one character or one word. */
function skipToken(sql: string, at: number): number {
  const rest = sql.slice(at, at + 2);
  if (rest === "--") return endOr(sql, sql.indexOf("\n", at));
  if (rest === "/*") return skipBlockComment(sql, at);
  if (/^[eE]'/.test(rest)) return skipQuoted(sql, at + 2, "'", true);
  if (rest[0] === "'" || rest[0] === '"') return skipQuoted(sql, at + 1, rest[0], false);
  if (rest[0] === "$") return skipDollarQuoted(sql, at);
  return at + (wordAt(sql, at)?.length ?? 1);
}

/** Words are taken whole, so that an `e` or a `$` inside one opens nothing. */
function wordAt(sql: string, at: number): string | undefined {
  const word = /[\p{L}\p{N}_][\p{L}\p{N}_$]*/uy;
  word.lastIndex = at;
  return word.exec(sql)?.[0];
}

function skipQuoted(sql: string, from: number, quote: string, backslashes: boolean): number {
  for (let at = from; at < sql.length; at++) {
    if (backslashes && sql[at] === "\\") at++;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return sql.length;
}

function skipDollarQuoted(sql: string, at: number): number {
  const opening = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
  opening.lastIndex = at;
  const tag = opening.exec(sql)?.[0];
  if (!tag) return at + 1;
  const closing = sql.indexOf(tag, at + tag.length);
  return closing === -1 ? sql.length : closing + tag.length;
}

/** Block comments nest in PostgreSQL. */
function skipBlockComment(sql: string, from: number): number {
  let depth = 1;
  let at = from + 2;
  while (at < sql.length && depth > 0) {
    const pair = sql.slice(at, at + 2);
    if (pair === "/*") depth++;
    if (pair === "*/") depth--;
    at += pair === "/*" || pair === "*/" ? 2 : 1;
  }
  return at;
}

function endOr(sql: string, at: number): number {
  return at === -1 ? sql.length : at;
}
