import { readNumeral } from "../numerals.ts";
import { ExpressionError } from "./expression-error.ts";

/** Longer ones are refused: no sensible rule is, and none may take long to read. */
export const maxLength = 10_000;

/** Signs and, under one spelling each, the words that are operators. */
export const operators = [
  "<=",
  ">=",
  "==",
  "!=",
  "<",
  ">",
  "+",
  "-",
  "*",
  "/",
  "^",
  "?",
  ":",
  "(",
  ")",
  "[",
  "]",
  ",",
  "and",
  "or",
  "not",
] as const;

export type Operator = (typeof operators)[number];

export type Token =
  | { readonly kind: "number"; readonly column: number; readonly value: number }
  | { readonly kind: "string"; readonly column: number; readonly value: string }
  | { readonly kind: "boolean"; readonly column: number; readonly value: boolean }
  | { readonly kind: "name"; readonly column: number; readonly name: string }
  | { readonly kind: "operator"; readonly column: number; readonly operator: Operator; readonly text: string }
  | { readonly kind: "end"; readonly column: number };

const spellings: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ...operators.map((operator): [string, Operator] => [operator, operator]),
  ["<>", "!="],
  ["&&", "and"],
  ["||", "or"],
  ["!", "not"],
]);

const space = /[\s\uFEFF]+/y;
const number = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const word = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*/y;
const sign = /<=|>=|==|!=|<>|&&|\|\||[-<>!+*/^?:()[\],]/y;
const wordCharacter = /[A-Za-z0-9_.]/;

/** Cuts an expression into tokens, of which the last is its end. */
export function tokenize(expression: string): readonly Token[] {
  if (expression.length > maxLength) {
    throw new ExpressionError(maxLength + 1, `the expression is longer than ${maxLength} characters`);
  }
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const text = pattern.exec(expression)?.[0];
    at += text?.length ?? 0;
    return text;
  };
  while (at < expression.length) {
    if (take(space) !== undefined) continue;
    const column = at + 1;
    const quote = expression[at];
    if (quote === '"' || quote === "'") {
      const read = readString(expression, at, quote);
      at = read.end;
      tokens.push({ kind: "string", column, value: read.value });
      continue;
    }
    const digits = take(number);
    if (digits !== undefined) {
      tokens.push({ kind: "number", column, value: numberOf(digits, column, expression[at]) });
      continue;
    }
    const name = take(word);
    if (name !== undefined) {
      if (expression[at] === ".") throw new ExpressionError(at + 1, "a name cannot end in a point");
      tokens.push(wordToken(name, column));
      continue;
    }
    const text = take(sign);
    const operator = text === undefined ? undefined : spellings.get(text);
    if (text === undefined || operator === undefined) throw unexpectedCharacter(expression, at);
    tokens.push({ kind: "operator", column, operator, text });
  }
  tokens.push({ kind: "end", column: expression.length + 1 });
  return tokens;
}

function numberOf(digits: string, column: number, next: string | undefined): number {
  if (next !== undefined && wordCharacter.test(next)) {
    throw new ExpressionError(column + digits.length, `"${next}" cannot follow a number`);
  }
  const value = readNumeral(digits);
  if (value === undefined) throw new ExpressionError(column, "the number is too large");
  return value;
}

/** Words that are operators or truth values may be written in either case, as Cinder has it. */
function wordToken(text: string, column: number): Token {
  const lower = text.toLowerCase();
  if (lower === "and" || lower === "or" || lower === "not") {
    return { kind: "operator", column, operator: lower, text };
  }
  if (lower === "true" || lower === "false") return { kind: "boolean", column, value: lower === "true" };
  return { kind: "name", column, name: text };
}

function readString(expression: string, start: number, quote: string): { value: string; end: number } {
  let value = "";
  for (let at = start + 1; at < expression.length; at++) {
    const character = expression[at] ?? "";
    if (character === quote) return { value, end: at + 1 };
    if (character !== "\\") {
      value += character;
      continue;
    }
    at++;
    const escaped = expression[at];
    if (escaped !== "\\" && escaped !== '"' && escaped !== "'") {
      throw new ExpressionError(at, "a backslash stands only before a quote or another backslash");
    }
    value += escaped;
  }
  throw new ExpressionError(start + 1, "the string has no closing quote");
}

function unexpectedCharacter(expression: string, at: number): ExpressionError {
  const character = String.fromCodePoint(expression.codePointAt(at) ?? 0);
  const hints: Readonly<Record<string, string>> = {
    "=": '; equality is "=="',
    "&": '; the operator is "&&" or "and"',
    "|": '; the operator is "||" or "or"',
    "%": "; there is no remainder",
  };
  return new ExpressionError(
    at + 1,
    `unexpected character ${JSON.stringify(character)}${hints[character] ?? ""}`,
  );
}
