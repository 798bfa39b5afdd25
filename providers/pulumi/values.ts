import {
  type AttributeSet,
  type AttributeType,
  type Diagnostic,
  isConfigurable,
  nestedAttributes,
  parseValues,
  type Raw,
  UNKNOWN,
  type Value,
  type Values,
} from "../../resources/schema/index.ts";
import type { JsonValue } from "../../src/contract/index.ts";
import { camelCase, toDeclaredNames } from "./names.ts";

/** A resource's inputs or outputs as Pulumi's dynamic provider protocol carries them. */
export type Properties = { readonly [property: string]: JsonValue | undefined };

/** What stands for a value that is not known yet. */
const unknownSentinel = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Pulumi's protocol has one sentinel for each kind of value; its source is `sdk/go/common/resource/plugin/rpc.go`. */
const unknownSentinels: ReadonlySet<JsonValue | undefined> = new Set([
  unknownSentinel,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export function isUnknownProperty(value: JsonValue | undefined): boolean {
  return unknownSentinels.has(value);
}

/** A name that begins so is for the provider's own use; Pulumi shows none of them. */
export function isInternalProperty(name: string): boolean {
  return name.startsWith("__");
}

/** Fits what a program passes to a declaration; unset is null, Pulumi's unknowns are `UNKNOWN`. */
export function parseProperties(
  attributes: AttributeSet,
  properties: Properties,
): { readonly values: Values; readonly diagnostics: readonly Diagnostic[] } {
  const own = Object.entries(properties).filter(([name]) => !isInternalProperty(name));
  const renaming: Diagnostic[] = [];
  const raw = toDeclaredNames(attributes, markUnknowns(Object.fromEntries(own)), renaming);
  const { values, diagnostics } = parseValues(attributes, raw);
  return { values, diagnostics: [...renaming, ...diagnostics] };
}

function markUnknowns(value: JsonValue | undefined | Properties): Raw {
  if (typeof value === "string") return unknownSentinels.has(value) ? UNKNOWN : value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(markUnknowns);
  return Object.fromEntries(
    Object.entries(value as Properties).map(([key, item]) => [key, markUnknowns(item)]),
  );
}

/** Values with their declared names as Pulumi writes them. Null is left out, to keep state small. */
export function toProperties(attributes: AttributeSet, values: Values): Record<string, JsonValue> {
  const properties: Record<string, JsonValue> = {};
  for (const [name, attribute] of Object.entries(attributes)) {
    const value = values[name] ?? null;
    if (value !== null && !attribute.writeOnly)
      properties[camelCase(name)] = toProperty(attribute.type, value);
  }
  return properties;
}

function toProperty(type: AttributeType, value: Value): JsonValue {
  if (value === UNKNOWN) return unknownSentinel;
  const nested = nestedAttributes(type);
  if (nested !== undefined) {
    if (type.kind === "object") return toProperties(nested, value as Values);
    const item = (entry: Value) =>
      entry === UNKNOWN ? unknownSentinel : toProperties(nested, entry as Values);
    if (Array.isArray(value)) return value.map(item);
    return Object.fromEntries(Object.entries(value as Values).map(([key, entry]) => [key, item(entry)]));
  }
  if (Array.isArray(value))
    return value.map((entry: Value) => (entry === UNKNOWN ? unknownSentinel : (entry as JsonValue)));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value as Values).map(([key, entry]) => [
        key,
        entry === UNKNOWN ? unknownSentinel : (entry as JsonValue),
      ]),
    );
  }
  return value as JsonValue;
}

/** What was written, with the declared defaults of what was not, at every level. */
export function withDefaults(attributes: AttributeSet, config: Values): Values {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]): [string, Value] => {
      const written = config[name] ?? null;
      if (!isConfigurable(attribute)) return [name, null];
      if (written === null) return [name, attribute.presence === "defaulted" ? attribute.default : null];
      return [name, defaultsWithin(attribute.type, written)];
    }),
  );
}

function defaultsWithin(type: AttributeType, written: Value): Value {
  const nested = nestedAttributes(type);
  if (nested === undefined || written === null || written === UNKNOWN) return written;
  const item = (entry: Value): Value =>
    entry === null || entry === UNKNOWN ? entry : withDefaults(nested, entry as Values);
  if (type.kind === "object") return item(written);
  if (Array.isArray(written)) return written.map(item);
  return Object.fromEntries(Object.entries(written as Values).map(([key, entry]) => [key, item(entry)]));
}
