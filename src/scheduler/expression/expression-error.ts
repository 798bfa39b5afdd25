/** What is wrong with an expression, and where. */
export class ExpressionError extends Error {
  /** The place in the expression, counted from 1 in JavaScript's characters; one past its end where something is missing. */
  readonly column: number;
  /** What is wrong there, without the place. */
  readonly reason: string;

  constructor(column: number, reason: string) {
    super(`column ${column}: ${reason}`);
    this.name = "ExpressionError";
    this.column = column;
    this.reason = reason;
  }
}
