import { describe, expect, it } from "vitest";
import { evaluate } from "./evaluate.ts";
import { ExpressionError } from "./expression-error.ts";
import type { Value } from "./nodes.ts";

/**
 * Random expressions against a second evaluation that knows nothing of text: an expression is made as a tree, worked out
 * as one, step by step and in Python's and mathematics' terms, and printed with random spaces, spellings and no more
 * parentheses than a reader needs. What the evaluator makes of the print must be what the tree gives.
 */
type Tree =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "name"; readonly group: "volume" | "stats" | "extra"; readonly key: string }
  | { readonly kind: "binary"; readonly sign: string; readonly left: Tree; readonly right: Tree }
  | { readonly kind: "chain"; readonly first: Tree; readonly rest: readonly (readonly [string, Tree])[] }
  | { readonly kind: "prefix"; readonly sign: "-" | "+" | "not"; readonly of: Tree }
  | { readonly kind: "choice"; readonly if: Tree; readonly yes: Tree; readonly no: Tree }
  | { readonly kind: "call"; readonly name: "abs" | "max" | "min"; readonly of: readonly Tree[] };

const variables = {
  volume: { size: 10, name: "db", bootable: true },
  stats: { free: 40.5, total: 100, zero: 0, protocol: "iSCSI", thin: false },
  extra: { level: "5", tier: "gold", "a:b-c": "2.5" },
} as const satisfies Record<string, Record<string, Value>>;

const names = Object.entries(variables).flatMap(([group, values]) =>
  [...Object.keys(values), "missing"].map((key) => ({ group: group as keyof typeof variables, key })),
);

/** What the straightforward evaluation cannot give a value for. */
class Impossible extends Error {}

/** Mulberry32: small, seeded, good enough to choose with. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Chooser {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomSource(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }
}

function grow(choose: Chooser, depth: number): Tree {
  if (depth === 0 || choose.chance(0.15)) return leaf(choose);
  const child = () => grow(choose, depth - 1);
  switch (choose.below(8)) {
    case 0:
    case 1:
    case 2:
      return {
        kind: "binary",
        sign: choose.of(["+", "-", "*", "/", "^"]),
        left: child(),
        right: child(),
      };
    case 3: {
      const length = choose.of([1, 1, 1, 2, 3]);
      const sign = () => choose.of(["<", "<=", ">", ">=", "==", "!="]);
      return {
        kind: "chain",
        first: child(),
        rest: Array.from({ length }, () => [sign(), child()] as const),
      };
    }
    case 4:
      return { kind: "binary", sign: choose.of(["and", "or"]), left: child(), right: child() };
    case 5:
      return { kind: "prefix", sign: choose.of(["-", "+", "not", "not"]), of: child() };
    case 6:
      return { kind: "choice", if: child(), yes: child(), no: child() };
    default: {
      const name = choose.of(["abs", "max", "min"] as const);
      const length = name === "abs" ? 1 : 1 + choose.below(3);
      return { kind: "call", name, of: Array.from({ length }, child) };
    }
  }
}

function leaf(choose: Chooser): Tree {
  if (choose.chance(0.35)) return { kind: "name", ...choose.of(names) };
  const values: readonly Value[] = [0, 1, 2, 3, 10, 0.5, 0.1, 1e3, 42, true, false];
  if (choose.chance(0.9)) return { kind: "value", value: choose.of(values) };
  return { kind: "value", value: choose.of(["gold", "", "5", "it's", 'a "b"', "\\", "True", "1 + 1"]) };
}

// The second evaluation.

function work(tree: Tree): Value {
  switch (tree.kind) {
    case "value":
      return tree.value;
    case "name": {
      const found = new Map<string, Value>(Object.entries(variables[tree.group])).get(tree.key);
      if (found === undefined) throw new Impossible();
      return typeof found === "string" && ["5", "2.5"].includes(found) ? Number(found) : found;
    }
    case "call": {
      const operands = tree.of.map((one) => figure(work(one)));
      if (tree.name === "abs") return Math.abs(operands[0] ?? Number.NaN);
      return operands.reduce((a, b) => ((tree.name === "max") === a > b ? a : b));
    }
    case "prefix": {
      const value = work(tree.of);
      if (tree.sign === "not") return !truth(value);
      return tree.sign === "-" ? 0 - figure(value) : figure(value);
    }
    case "choice":
      return truth(work(tree.if)) ? work(tree.yes) : work(tree.no);
    case "chain": {
      let left = work(tree.first);
      for (const [sign, next] of tree.rest) {
        const right = work(next);
        if (!ordered(sign, left, right)) return false;
        left = right;
      }
      return true;
    }
    case "binary": {
      const left = work(tree.left);
      if (tree.sign === "and") return truth(left) ? tested(work(tree.right)) : left;
      if (tree.sign === "or") return truth(left) ? left : tested(work(tree.right));
      return arithmetic(tree.sign, left, () => work(tree.right));
    }
  }
}

function arithmetic(sign: string, left: Value, second: () => Value): number {
  const a = figure(left);
  const b = figure(second());
  if (sign === "/" && b === 0) throw new Impossible();
  const results: Record<string, number> = { "+": a + b, "-": a - b, "*": a * b, "/": a / b, "^": a ** b };
  const result = results[sign] ?? Number.NaN;
  if (!Number.isFinite(result)) throw new Impossible();
  return result === 0 ? 0 : result;
}

function ordered(sign: string, left: Value, right: Value): boolean {
  const texts = typeof left === "string" && typeof right === "string";
  const a = texts ? left : beside(left, right);
  const b = texts ? right : beside(right, left);
  if (a === null || b === null) {
    if (sign === "==") return false;
    if (sign === "!=") return true;
    throw new Impossible();
  }
  const results: Record<string, boolean> = {
    "<": a < b,
    "<=": a <= b,
    ">": a > b,
    ">=": a >= b,
    "==": a === b,
    "!=": a !== b,
  };
  return results[sign] === true;
}

function beside(value: Value, other: Value): number | null {
  if (typeof value !== "string") return Number(value);
  if (typeof other === "boolean" && value === "True") return 1;
  return value === "5" ? 5 : null;
}

function truth(value: Value): boolean {
  if (typeof value === "string") throw new Impossible();
  return Boolean(value);
}

function tested(value: Value): Value {
  truth(value);
  return value;
}

function figure(value: Value): number {
  if (typeof value === "string") throw new Impossible();
  return Number(value);
}

// Printing.

/** How tightly a tree holds together as it is printed, the tightest last. */
const ranks = ["choice", "or", "and", "not", "chain", "sum", "product", "sign", "power", "atom"] as const;

type Rank = (typeof ranks)[number];

function rankOf(tree: Tree): Rank {
  switch (tree.kind) {
    case "choice":
      return "choice";
    case "chain":
      return "chain";
    case "prefix":
      return tree.sign === "not" ? "not" : "sign";
    case "binary":
      return signRank(tree.sign);
    default:
      return "atom";
  }
}

function signRank(sign: string): Rank {
  if (sign === "and" || sign === "or") return sign;
  if (sign === "^") return "power";
  return sign === "+" || sign === "-" ? "sum" : "product";
}

function next(rank: Rank): Rank {
  return ranks[ranks.indexOf(rank) + 1] ?? "atom";
}

class Printer {
  readonly #choose: Chooser;

  constructor(choose: Chooser) {
    this.#choose = choose;
  }

  print(tree: Tree): string {
    return this.#at("choice", tree);
  }

  /** In parentheses where it does not hold together as tightly as its place needs, and at times where it does. */
  #at(least: Rank, tree: Tree): string {
    const text = this.#bare(tree);
    const needed = ranks.indexOf(rankOf(tree)) < ranks.indexOf(least);
    return needed || this.#choose.chance(0.1) ? `(${this.#space()}${text}${this.#space()})` : text;
  }

  #bare(tree: Tree): string {
    const choose = this.#choose;
    switch (tree.kind) {
      case "value":
        return this.#value(tree.value);
      case "name":
        return /^\w+$/.test(tree.key) && choose.chance(0.8)
          ? `${tree.group}.${tree.key}`
          : `${tree.group}${this.#space()}[${this.#space()}${this.#quoted(tree.key)}]`;
      case "call":
        return `${tree.name}${this.#space()}(${this.#space()}${tree.of.map((one) => this.print(one)).join(`${this.#space()},`)})`;
      case "choice":
        return `${this.#at("or", tree.if)}${this.#space()}?${this.#space()}${this.print(tree.yes)}${this.#space()}:${this.#space()}${this.print(tree.no)}`;
      case "prefix": {
        const operand = this.#at(tree.sign === "not" ? "not" : "sign", tree.of);
        return tree.sign === "not" ? this.#word("not", operand) : `${tree.sign}${this.#space()}${operand}`;
      }
      case "chain": {
        const rest = tree.rest.map(([sign, operand]) => {
          const spelled = sign === "!=" ? choose.of(["!=", "<>"]) : sign;
          // Behind a comparison sign, `not` needs no parentheses around it.
          const denied = operand.kind === "prefix" && operand.sign === "not" && fitsBehind(operand.of);
          return `${this.#space()}${spelled}${this.#space()}${denied ? this.#bare(operand) : this.#at("sum", operand)}`;
        });
        return `${this.#at("sum", tree.first)}${rest.join("")}`;
      }
      case "binary":
        return this.#binary(tree.sign, tree.left, tree.right);
    }
  }

  #binary(sign: string, left: Tree, right: Tree): string {
    if (sign === "^") {
      // A sign may stand in an exponent as it is.
      return `${this.#at("atom", left)}${this.#space()}^${this.#space()}${this.#at("sign", right)}`;
    }
    const rank = signRank(sign);
    const first = this.#at(rank, left);
    const second = this.#at(next(rank), right);
    if (sign !== "and" && sign !== "or") return `${first}${this.#space()}${sign}${this.#space()}${second}`;
    const symbol = sign === "and" ? "&&" : "||";
    return this.#choose.chance(0.4)
      ? `${first}${this.#space()}${symbol}${this.#space()}${second}`
      : `${first} ${this.#cased(sign)} ${second}`;
  }

  #word(word: "not", operand: string): string {
    return this.#choose.chance(0.4) ? `!${this.#space()}${operand}` : `${this.#cased(word)} ${operand}`;
  }

  #cased(word: string): string {
    return this.#choose.chance(0.2) ? word.toUpperCase() : word;
  }

  #value(value: Value): string {
    if (typeof value === "string") return this.#quoted(value);
    if (typeof value === "number" && this.#choose.chance(0.1))
      return `${value}${value % 1 === 0 ? ".0" : "0"}`;
    return typeof value === "boolean" ? this.#choose.of([`${value}`, value ? "True" : "False"]) : `${value}`;
  }

  #quoted(text: string): string {
    const quote = this.#choose.of(['"', "'"]);
    return `${quote}${text.replaceAll(/["'\\]/g, (one) => (one === quote || one === "\\" ? `\\${one}` : one))}${quote}`;
  }

  #space(): string {
    return this.#choose.of(["", "", " ", " ", "  ", "\n", "\t"]);
  }
}

/** Whether `not x` behind a comparison sign denies all of x without parentheses, and nothing that comes after it. */
function fitsBehind(tree: Tree): boolean {
  return ranks.indexOf(rankOf(tree)) >= ranks.indexOf("sum");
}

type Outcome = { readonly value: Value } | "impossible";

function outcomeOf(attempt: () => Value, error: typeof Impossible | typeof ExpressionError): Outcome {
  try {
    return { value: attempt() };
  } catch (thrown) {
    if (thrown instanceof error) return "impossible";
    throw thrown;
  }
}

describe("random expressions", () => {
  it("100,000 of them give what a second evaluation gives", () => {
    let possible = 0;
    for (let seed = 0; seed < 100_000; seed++) {
      const choose = new Chooser(seed);
      const tree = grow(choose, 1 + choose.below(5));
      const text = new Printer(choose).print(tree);
      const expected = outcomeOf(() => work(tree), Impossible);
      const found = outcomeOf(() => evaluate(text, variables), ExpressionError);
      // Deep equality is slow, and this comes a hundred thousand times.
      const same =
        expected === "impossible" || found === "impossible"
          ? expected === found
          : Object.is(expected.value, found.value);
      if (!same) expect({ seed, text, outcome: found }).toEqual({ seed, text, outcome: expected });
      if (expected !== "impossible") possible++;
    }
    // So that it is not about errors alone.
    expect(possible).toBeGreaterThan(30_000);
  });

  it("20,000 cut, doubled and mixed up never end in anything but a value or an error with a column", () => {
    for (let seed = 0; seed < 20_000; seed++) {
      const choose = new Chooser(seed);
      const text = damaged(choose, new Printer(choose).print(grow(choose, 1 + choose.below(4))));
      expectAnswer(text);
    }
  });

  it("20,000 strings of anything never end in anything but a value or an error with a column", () => {
    const pieces = [
      ..."()[]?:,.'\"\\!&|<>=+-*/^ \n\t$#@%~`{};_aZ09éλ😀\u0000\uFEFF\u2028",
      ..."and or not true abs max( volume.size extra[' 1e9 .5 0x 1e && || <> == <= ?: __proto__ constructor".split(
        " ",
      ),
      "\uD800",
    ];
    for (let seed = 0; seed < 20_000; seed++) {
      const choose = new Chooser(seed);
      expectAnswer(
        Array.from({ length: choose.below(30) }, () => choose.of(pieces)).join(choose.of(["", " "])),
      );
    }
  });
});

function damaged(choose: Chooser, text: string): string {
  const at = choose.below(text.length + 1);
  const end = at + choose.below(4);
  switch (choose.below(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return text.slice(0, end) + text.slice(at);
    default:
      return `${text.slice(0, at)}${choose.of([..."()?:,.'\"!&|<>=+-*/^ 0a"])}${text.slice(at)}`;
  }
}

function expectAnswer(text: string): void {
  try {
    const value = evaluate(text, variables);
    if (typeof value === "number" && !Number.isFinite(value))
      throw new Error(`${JSON.stringify(text)} is ${value}`);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const inside = error.column >= 1 && error.column <= text.length + 1;
    if (!inside || error.reason === "") throw new Error(`${JSON.stringify(text)}: ${error.message}`);
  }
}
