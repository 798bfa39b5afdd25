import type { JsonValue } from "../../../src/contract/index.ts";

/**
 * Parses a JSON object without losing a digit: a number that `number` cannot hold exactly is left as its decimal text.
 * Null for the JSON text `null`. Throws `SyntaxError`.
 */
export function parseJsonObject(bytes: Uint8Array): { readonly [key: string]: JsonValue } | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  // The reviver costs time, and only numbers of many digits can need it.
  const value: unknown = /\d{16}/.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  if (value === null) return null;
  if (typeof value !== "object" || Array.isArray(value))
    throw new SyntaxError("The JSON text holds no object.");
  return value as { readonly [key: string]: JsonValue };
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  return isExact(value, context.source) ? value : context.source;
}

function isExact(value: number, source: string): boolean {
  return /^-?\d+$/.test(source)
    ? Number.isFinite(value) && BigInt(value) === BigInt(source)
    : String(value) === source;
}
