import type { AttributePath, JsonValue } from "../../src/contract/index.ts";
import { type AttributeSet, type AttributeType, nestedAttributes } from "./attribute.ts";
import { formatPath } from "./check.ts";
import { type Diagnostic, errorAt } from "./diagnostic.ts";
import { UNKNOWN, type Value, type Values } from "./value.ts";

export interface Parsed {
  /** Every declared attribute is there, null where the input has none. */
  readonly values: Values;
  readonly diagnostics: readonly Diagnostic[];
}

/** An input tree: JSON, in which any part may also be unknown. */
export type Raw = JsonValue | typeof UNKNOWN | undefined | readonly Raw[] | { readonly [key: string]: Raw };

/**
 * Fits an untyped tree (YAML, Pulumi inputs) to a declaration. A name that is not declared, or a value of the wrong shape,
 * is an error that names its place; what does not fit is null in `values`.
 */
export function parseValues(attributes: AttributeSet, raw: Raw, at: AttributePath = []): Parsed {
  const diagnostics: Diagnostic[] = [];
  const values = parseObject(attributes, raw, at, diagnostics);
  return { values, diagnostics };
}

function parseObject(
  attributes: AttributeSet,
  raw: Raw,
  at: AttributePath,
  diagnostics: Diagnostic[],
): Values {
  const empty = Object.fromEntries(Object.keys(attributes).map((name) => [name, null]));
  if (raw === undefined || raw === null) return empty;
  if (!isPlainObject(raw)) {
    diagnostics.push(mismatch(at, "a mapping of names to values", raw));
    return empty;
  }
  for (const name of Object.keys(raw)) {
    if (!Object.hasOwn(attributes, name)) {
      const known = Object.keys(attributes).sort().join(", ");
      const path = [...at, name];
      diagnostics.push(
        errorAt(
          path,
          `Unknown setting ${formatPath(path)}`,
          `Nothing of that name exists here; there are: ${known}.`,
        ),
      );
    }
  }
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [
      name,
      parseValue(attribute.type, raw[name], [...at, name], diagnostics),
    ]),
  );
}

function parseValue(type: AttributeType, raw: Raw, at: AttributePath, diagnostics: Diagnostic[]): Value {
  if (raw === undefined || raw === null) return null;
  if (raw === UNKNOWN) return UNKNOWN;
  switch (type.kind) {
    case "string":
      if (typeof raw === "string") return raw;
      // YAML and Pulumi configuration write numbers and booleans without quotes where text is meant.
      if (typeof raw === "number" || typeof raw === "boolean") return String(raw);
      break;
    case "integer":
    case "number":
      if (typeof raw === "number") return raw;
      if (typeof raw === "string" && /^-?\d+(\.\d+)?$/.test(raw)) return Number(raw);
      break;
    case "boolean":
      if (typeof raw === "boolean") return raw;
      if (raw === "true" || raw === "false") return raw === "true";
      break;
    case "list":
      if (Array.isArray(raw))
        return raw.map((item, index) => parseValue(type.element, item, [...at, index], diagnostics));
      break;
    case "map":
      if (isPlainObject(raw))
        return mapEntries(raw, (item, key) => parseValue(type.element, item, [...at, key], diagnostics));
      break;
    case "object":
      if (isPlainObject(raw)) return parseObject(type.attributes, raw, at, diagnostics);
      break;
    case "object_map":
      if (isPlainObject(raw)) {
        return mapEntries(raw, (item, key) => parseObject(type.attributes, item, [...at, key], diagnostics));
      }
      break;
    case "object_list":
      if (Array.isArray(raw)) {
        return raw.map((item, index) => parseObject(type.attributes, item, [...at, index], diagnostics));
      }
      break;
  }
  diagnostics.push(mismatch(at, shapeNames[type.kind], raw));
  return null;
}

const shapeNames: Readonly<Record<AttributeType["kind"], string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  map: "a mapping of names to values",
  list: "a list",
  object: "a mapping of names to values",
  object_map: "a mapping of names to values",
  object_list: "a list",
};

function mapEntries(
  raw: { readonly [key: string]: Raw },
  convert: (item: Raw, key: string) => Value,
): Values {
  return Object.fromEntries(Object.entries(raw).map(([key, item]) => [key, convert(item, key)]));
}

function isPlainObject(raw: Raw): raw is { readonly [key: string]: Raw } {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

function mismatch(at: AttributePath, expected: string, raw: Raw): Diagnostic {
  const label = at.length === 0 ? "The configuration" : `"${formatPath(at)}"`;
  const got =
    raw === null
      ? "null"
      : Array.isArray(raw)
        ? "a list"
        : typeof raw === "object"
          ? "a mapping"
          : typeof raw;
  return errorAt(
    at,
    `Wrong shape of ${at.length === 0 ? "configuration" : formatPath(at)}`,
    `${label} must be ${expected}, not ${got}.`,
  );
}

/**
 * Fits a stored state to today's declaration: attributes that no longer exist are dropped, new ones are null.
 * A stored value of another shape is kept out (null), as it is read anew anyway.
 */
export function fitState(attributes: AttributeSet, stored: { readonly [key: string]: JsonValue }): Values {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [name, fitValue(attribute.type, stored[name])]),
  );
}

function fitValue(type: AttributeType, stored: JsonValue | undefined): Value {
  if (stored === undefined || stored === null) return null;
  const nested = nestedAttributes(type);
  if (nested === undefined) return parseValue(type, stored, [], []);
  const fitItem = (item: JsonValue): Value =>
    isPlainObject(item) ? fitState(nested, item as { readonly [key: string]: JsonValue }) : null;
  if (type.kind === "object") return fitItem(stored);
  if (type.kind === "object_list") return Array.isArray(stored) ? stored.map(fitItem) : null;
  return isPlainObject(stored) ? mapEntries(stored, (item) => fitItem(item as JsonValue)) : null;
}
