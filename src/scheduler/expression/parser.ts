import { ExpressionError } from "./expression-error.ts";
import {
  type ArithmeticOperator,
  type ComparisonOperator,
  type FunctionName,
  functionNames,
  type Link,
  type Node,
  type PowerOperand,
} from "./nodes.ts";
import { type Operator, type Token, tokenize } from "./tokens.ts";

/** How deep parentheses, calls and the middle parts of `? :` may stand in each other. */
export const maxDepth = 200;

const comparisons: ReadonlySet<Operator> = new Set<ComparisonOperator>(["<", "<=", ">", ">=", "==", "!="]);

/**
 * Parses an expression. From the loosest to the tightest: `? :`, `or`, `and`, `not`, comparisons, `+ -`, `* /`, signs, `^`.
 *
 * @throws ExpressionError where the text is no expression
 */
export function parse(expression: string): Node {
  const parser = new Parser(tokenize(expression));
  return parser.parseAll();
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parseAll(): Node {
    const node = this.#choice();
    if (this.#token().kind !== "end") throw this.#unexpected("an operator or the end");
    return node;
  }

  /** `a ? b : c ? d : e`: what follows a colon goes on with the same row. */
  #choice(): Node {
    this.#depth++;
    if (this.#depth > maxDepth) {
      throw new ExpressionError(this.#token().column, `more than ${maxDepth} levels of nesting`);
    }
    const { column } = this.#token();
    const branches: { condition: Node; value: Node }[] = [];
    let last = this.#or();
    while (this.#takes("?")) {
      const value = this.#choice();
      this.#require(":");
      branches.push({ condition: last, value });
      last = this.#or();
    }
    this.#depth--;
    return branches.length === 0 ? last : { kind: "choice", column, branches, otherwise: last };
  }

  #or(): Node {
    return this.#row("or", () => this.#row("and", () => this.#not()));
  }

  #row(kind: "and" | "or", operand: () => Node): Node {
    const { column } = this.#token();
    const first = operand();
    const operands = [first];
    while (this.#takes(kind)) operands.push(operand());
    return operands.length === 1 ? first : { kind, column, operands };
  }

  /** `not` before a comparison denies all of it. */
  #not(): Node {
    return this.#negated(() => this.#comparison());
  }

  #negated(operand: () => Node): Node {
    const { column } = this.#token();
    let count = 0;
    while (this.#takes("not")) count++;
    const node = operand();
    return count === 0 ? node : { kind: "not", column, twice: count % 2 === 0, operand: node };
  }

  #comparison(): Node {
    const { column } = this.#token();
    const first = this.#sum();
    const links: Link<ComparisonOperator>[] = [];
    for (;;) {
      const token = this.#token();
      if (!isComparison(token)) break;
      this.#position++;
      // Behind a comparison sign, `not` denies that side alone.
      const operand = this.#negated(() => this.#sum());
      links.push({ operator: token.operator, column: token.column, operand });
    }
    return links.length === 0 ? first : { kind: "comparisons", column, first, links };
  }

  #sum(): Node {
    return this.#arithmetic(["+", "-"], () => this.#arithmetic(["*", "/"], () => this.#powers()));
  }

  #arithmetic(operators: readonly ArithmeticOperator[], operand: () => Node): Node {
    const { column } = this.#token();
    const first = operand();
    const links: Link<ArithmeticOperator>[] = [];
    for (;;) {
      const at = this.#token().column;
      const operator = operators.find((one) => this.#takes(one));
      if (operator === undefined) break;
      links.push({ operator, column: at, operand: operand() });
    }
    return links.length === 0 ? first : { kind: "arithmetic", column, first, links };
  }

  /** A sign binds looser than the power behind it and tighter than one before it: `-2^2` is -4, `2^-2` is 0.25. */
  #powers(): Node {
    const { column } = this.#token();
    const first = this.#powerOperand();
    const operands = [first];
    const columns: number[] = [];
    for (;;) {
      const at = this.#token().column;
      if (!this.#takes("^")) break;
      columns.push(at);
      operands.push(this.#powerOperand());
    }
    if (operands.length === 1 && !first.signed) return first.operand;
    return { kind: "powers", column, operands, columns };
  }

  #powerOperand(): PowerOperand {
    let signed = false;
    let negative = false;
    for (;;) {
      if (this.#takes("-")) negative = !negative;
      else if (!this.#takes("+")) break;
      signed = true;
    }
    return { negative, signed, operand: this.#primary() };
  }

  #primary(): Node {
    const token = this.#token();
    const { column } = token;
    if (token.kind === "number" || token.kind === "string" || token.kind === "boolean") {
      this.#position++;
      return { kind: "value", column, value: token.value };
    }
    if (token.kind === "name") {
      this.#position++;
      return this.#named(token.name, column);
    }
    if (this.#takes("(")) {
      const node = this.#choice();
      this.#require(")");
      return node;
    }
    if (token.kind === "operator" && token.operator === "not") {
      throw new ExpressionError(column, `"${token.text}" within arithmetic needs parentheses around it`);
    }
    throw this.#unexpected("a value");
  }

  #named(name: string, column: number): Node {
    if (isFunctionName(name)) {
      if (!this.#takes("(")) throw this.#unexpected(`"(" after ${name}`);
      const operands = [this.#choice()];
      while (this.#takes(",")) operands.push(this.#choice());
      this.#require(")");
      if (name === "abs" && operands.length > 1) throw new ExpressionError(column, "abs takes one number");
      return { kind: "call", column, name, operands };
    }
    const point = name.indexOf(".");
    if (point >= 0) {
      return { kind: "variable", column, group: name.slice(0, point), key: name.slice(point + 1) };
    }
    if (this.#takes("[")) {
      const key = this.#token();
      if (key.kind !== "string") throw this.#unexpected("a quoted name");
      this.#position++;
      this.#require("]");
      return { kind: "variable", column, group: name, key: key.value };
    }
    const next = this.#token();
    if (next.kind === "operator" && next.operator === "(") {
      throw new ExpressionError(column, `unknown function "${name}"; there are ${functionNames.join(", ")}`);
    }
    throw new ExpressionError(column, `unknown name "${name}"; text stands in quotes`);
  }

  #token(): Token {
    const token = this.#tokens[Math.min(this.#position, this.#tokens.length - 1)];
    if (token === undefined) throw new ExpressionError(1, "the expression is empty");
    return token;
  }

  #takes(operator: Operator): boolean {
    const token = this.#token();
    if (token.kind !== "operator" || token.operator !== operator) return false;
    this.#position++;
    return true;
  }

  #require(operator: Operator): void {
    if (!this.#takes(operator)) throw this.#unexpected(`"${operator}"`);
  }

  #unexpected(wanted: string): ExpressionError {
    const token = this.#token();
    return new ExpressionError(token.column, `${wanted} was expected, but there is ${describe(token)}`);
  }
}

function isComparison(
  token: Token,
): token is Token & { readonly kind: "operator"; readonly operator: ComparisonOperator } {
  return token.kind === "operator" && comparisons.has(token.operator);
}

function isFunctionName(name: string): name is FunctionName {
  return functionNames.some((one) => one === name);
}

function describe(token: Token): string {
  switch (token.kind) {
    case "end":
      return "nothing more";
    case "operator":
      return `"${token.text}"`;
    case "name":
      return `"${token.name}"`;
    case "string":
      return "a string";
    case "number":
    case "boolean":
      return String(token.value);
  }
}
