export type Value = number | string | boolean;

export const functionNames = ["abs", "max", "min"] as const;

export type FunctionName = (typeof functionNames)[number];

export type ArithmeticOperator = "+" | "-" | "*" | "/";

export type ComparisonOperator = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** One more operand of a row of operators of the same rank. */
export interface Link<Operator> {
  readonly operator: Operator;
  readonly column: number;
  readonly operand: Node;
}

/** An operand of a row of powers, with the signs before it. */
export interface PowerOperand {
  readonly negative: boolean;
  /** Whether there is any sign, which makes it a number's. */
  readonly signed: boolean;
  readonly operand: Node;
}

/**
 * A parsed expression. Rows of operators are flat, so that how deep a tree is depends on parentheses alone, and never
 * on how many terms there are. `column` is where to point when the node's own operation fails.
 */
export type Node =
  | { readonly kind: "value"; readonly column: number; readonly value: Value }
  | { readonly kind: "variable"; readonly column: number; readonly group: string; readonly key: string }
  | {
      readonly kind: "call";
      readonly column: number;
      readonly name: FunctionName;
      readonly operands: readonly Node[];
    }
  | {
      readonly kind: "powers";
      readonly column: number;
      readonly operands: readonly PowerOperand[];
      /** Where each `^` stands: one fewer than the operands. */
      readonly columns: readonly number[];
    }
  | {
      readonly kind: "arithmetic";
      readonly column: number;
      readonly first: Node;
      readonly links: readonly Link<ArithmeticOperator>[];
    }
  | {
      readonly kind: "comparisons";
      readonly column: number;
      readonly first: Node;
      readonly links: readonly Link<ComparisonOperator>[];
    }
  | { readonly kind: "not"; readonly column: number; readonly twice: boolean; readonly operand: Node }
  | { readonly kind: "and" | "or"; readonly column: number; readonly operands: readonly Node[] }
  | {
      readonly kind: "choice";
      readonly column: number;
      readonly branches: readonly { readonly condition: Node; readonly value: Node }[];
      readonly otherwise: Node;
    };
