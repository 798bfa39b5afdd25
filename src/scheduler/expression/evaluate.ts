import { readNumeral } from "../numerals.ts";
import { ExpressionError } from "./expression-error.ts";
import type { ArithmeticOperator, ComparisonOperator, FunctionName, Node, Value } from "./nodes.ts";
import { parse } from "./parser.ts";

/** Groups of named values: `{ volume: { size: 10 } }` is what `volume.size` looks in. */
export type Variables = Readonly<Record<string, Readonly<Record<string, Value>>>>;

/**
 * Works out an expression of `filter_function` or `goodness_function`. docs/scheduler.md describes the language.
 *
 * @example evaluate("volume.size * 2 <= stats.free_capacity_gb", { volume: { size: 10 }, stats: { free_capacity_gb: 30 } })
 * @throws ExpressionError with the column of what is wrong: no expression, a name that is not among `variables`, a
 *   division by zero, a value of the wrong kind, a result that is no finite number
 */
export function evaluate(expression: string, variables: Variables = {}): Value {
  return resultOf(parse(expression), variables);
}

/**
 * Whether a value counts as true: true, and any number but zero. Text is neither, as "False" would otherwise be true.
 *
 * @throws ExpressionError for a string
 */
export function isTrue(value: Value, column: number): boolean {
  if (typeof value === "string") {
    throw new ExpressionError(column, `the string ${JSON.stringify(value)} is neither true nor false`);
  }
  return value !== false && value !== 0;
}

function resultOf(node: Node, variables: Variables): Value {
  switch (node.kind) {
    case "value":
      return node.value;
    case "variable":
      return lookUp(node, variables);
    case "call":
      return call(
        node.name,
        node.operands.map((operand) => numberOf(operand, variables)),
      );
    case "powers":
      return powers(node, variables);
    case "arithmetic": {
      let result = numberOf(node.first, variables);
      for (const { operator, column, operand } of node.links) {
        result = calculate(operator, result, numberOf(operand, variables), column);
      }
      return result;
    }
    case "comparisons":
      return comparisonsHold(node, variables);
    case "not":
      return isTrue(resultOf(node.operand, variables), node.operand.column) === node.twice;
    case "and":
    case "or":
      return junction(node, variables);
    case "choice": {
      const chosen = node.branches.find(({ condition }) =>
        isTrue(resultOf(condition, variables), condition.column),
      );
      return resultOf(chosen?.value ?? node.otherwise, variables);
    }
  }
}

function lookUp(node: Node & { readonly kind: "variable" }, variables: Variables): Value {
  const { group, key, column } = node;
  const name = `${group}.${key}`;
  const values = Object.hasOwn(variables, group) ? variables[group] : undefined;
  // What comes from a driver's report need not be what the types say.
  const value: unknown = values !== undefined && Object.hasOwn(values, key) ? values[key] : undefined;
  switch (typeof value) {
    case "string":
      // Extra specs are all text.
      return readNumeral(value) ?? value;
    case "boolean":
      return value;
    case "number":
      return finite(value, column, name);
    case "undefined":
      throw new ExpressionError(column, `unknown name "${name}"`);
    default:
      throw new ExpressionError(column, `"${name}" is neither a number nor a string nor a truth value`);
  }
}

/** `and` and `or` give the operand that decides, as in Python, and look no further. */
function junction(node: Node & { readonly kind: "and" | "or" }, variables: Variables): Value {
  let value: Value = node.kind === "and";
  for (const operand of node.operands) {
    value = resultOf(operand, variables);
    if (isTrue(value, operand.column) === (node.kind === "or")) break;
  }
  return value;
}

function comparisonsHold(node: Node & { readonly kind: "comparisons" }, variables: Variables): boolean {
  let left = resultOf(node.first, variables);
  for (const { operator, column, operand } of node.links) {
    const right = resultOf(operand, variables);
    if (!holds(operator, left, right, column)) return false;
    left = right;
  }
  return true;
}

function holds(operator: ComparisonOperator, left: Value, right: Value, column: number): boolean {
  const order = compare(left, right);
  if (order === undefined && operator !== "==" && operator !== "!=") {
    throw new ExpressionError(column, `"${operator}" cannot order ${describe(left)} and ${describe(right)}`);
  }
  switch (operator) {
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order === -1;
    case "<=":
      return order !== 1;
    case ">":
      return order === 1;
    case ">=":
      return order !== -1;
  }
}

/** Undefined where the two have no order: a number and a string that is not written as one. */
function compare(left: Value, right: Value): -1 | 0 | 1 | undefined {
  if (typeof left === "string" && typeof right === "string") return orderOf(left, right);
  const [one, other] = [asNumber(left, right), asNumber(right, left)];
  return one === undefined || other === undefined ? undefined : orderOf(one, other);
}

function orderOf<T extends number | string>(left: T, right: T): -1 | 0 | 1 {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** What `value` counts as beside `other`, which is of another type unless both are numbers or truth values. */
function asNumber(value: Value, other: Value): number | undefined {
  if (typeof value !== "string") return Number(value);
  // Extra specs write truth values as text.
  if (typeof other === "boolean" && /^(?:true|false)$/i.test(value))
    return Number(value.toLowerCase() === "true");
  return readNumeral(value);
}

/** A numeric operand: a number, or a truth value as 1 or 0. */
function numberOf(node: Node, variables: Variables): number {
  const value = resultOf(node, variables);
  if (typeof value !== "string") return Number(value);
  throw new ExpressionError(node.column, `${describe(value)} is no number`);
}

function calculate(operator: ArithmeticOperator, left: number, right: number, column: number): number {
  switch (operator) {
    case "+":
      return finite(left + right, column);
    case "-":
      return finite(left - right, column);
    case "*":
      return finite(left * right, column);
    case "/":
      if (right === 0) throw new ExpressionError(column, "division by zero");
      return finite(left / right, column);
  }
}

/** Works from left to right through the operands, and then from right to left through the powers. */
function powers(node: Node & { readonly kind: "powers" }, variables: Variables): number {
  const bases = node.operands.map(({ operand }) => numberOf(operand, variables));
  const signs = node.operands.map(({ negative }) => (negative ? -1 : 1));
  let result: number | undefined;
  for (let index = bases.length - 1; index >= 0; index--) {
    const base = bases[index] ?? 0;
    const power = result === undefined ? base : raise(base, result, node.columns[index] ?? node.column);
    result = (signs[index] ?? 1) * power + 0;
  }
  return result ?? 0;
}

function raise(base: number, exponent: number, column: number): number {
  if (base === 0 && exponent < 0) {
    throw new ExpressionError(column, "division by zero: zero to a negative power");
  }
  return finite(base ** exponent, column);
}

function call(name: FunctionName, operands: readonly number[]): number {
  switch (name) {
    case "abs":
      return Math.abs(operands[0] ?? 0);
    case "max":
      return Math.max(...operands);
    case "min":
      return Math.min(...operands);
  }
}

/** `value`, never as the zero with a minus sign. */
function finite(value: number, column: number, name?: string): number {
  if (Number.isFinite(value)) return value + 0;
  throw new ExpressionError(column, `${name === undefined ? "the result" : `"${name}"`} is no finite number`);
}

function describe(value: Value): string {
  return typeof value === "string" ? `the string ${JSON.stringify(value)}` : `${value}`;
}
