import { type Attribute, type AttributeSet, object, string, type Validator } from "./attribute.ts";
import type { Values } from "./value.ts";

export type Operation = "create" | "read" | "update" | "delete";

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Parses durations as Go writes them: `90s`, `1h30m`, `1.5h`. Undefined when `text` is none. Milliseconds. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (unitMs[unit] ?? Number.NaN);
  }
  return total > 0 && total <= 2 ** 31 - 1 ? total : undefined;
}

const duration: Validator<string> = {
  description: 'be a duration such as "90s", "30m" or "1h30m"',
  check: (value) =>
    parseDuration(value) === undefined
      ? `It must be a duration such as "90s", "30m" or "1h30m", up to 24 days, not "${value}".`
      : undefined,
};

/** The `timeouts` attribute of a resource or data source. */
export function timeouts(
  ...operations: readonly Operation[]
): Attribute<Readonly<Partial<Record<Operation, string | null>>>, "optional"> {
  const attributes: Record<string, Attribute> = {};
  for (const operation of operations) {
    attributes[operation] = string("optional", {
      description: `How long ${operation} may take, as a duration such as \`30m\`.`,
      validators: [duration],
    });
  }
  return object(attributes as AttributeSet, "optional", {
    description: "How long each operation may take before it is stopped with an error.",
  }) as Attribute<Readonly<Partial<Record<Operation, string | null>>>, "optional">;
}

/** The timeout of `operation` in milliseconds: the user's, or else `fallback`. */
export function timeoutOf(values: Values, operation: Operation, fallback: number): number {
  const set = values["timeouts"];
  if (set === null || set === undefined || typeof set !== "object" || Array.isArray(set)) return fallback;
  const text = (set as Values)[operation];
  return (typeof text === "string" ? parseDuration(text) : undefined) ?? fallback;
}
