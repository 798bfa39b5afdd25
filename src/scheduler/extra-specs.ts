import { readNumeral } from "./numerals.ts";

/** Requirements by key, as a volume's `requirements` has them. */
export type ExtraSpecs = Readonly<Record<string, string>>;

export interface ExtraSpecsMatch {
  readonly matches: boolean;
  /** Which requirement is not met, and by what; null where all are. */
  readonly reason: string | null;
}

type Test = (value: Scalar, operand: string) => boolean;
type Scalar = string | number | boolean;

const atLeast = numeric((value, operand) => value >= operand);

/** Words that mean true, in any case; every other means false, as with Cinder. */
const trueWords: ReadonlySet<string> = new Set(["1", "t", "true", "on", "y", "yes"]);

const tests: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["=", atLeast],
  [">=", atLeast],
  ["<=", numeric((value, operand) => value <= operand)],
  ["==", numeric((value, operand) => value === operand)],
  ["!=", numeric((value, operand) => value !== operand)],
  ["s==", isText],
  ["s!=", (value, operand) => !isText(value, operand)],
  ["s<", (value, operand) => String(value) < operand],
  ["s<=", (value, operand) => String(value) <= operand],
  ["s>", (value, operand) => String(value) > operand],
  ["s>=", (value, operand) => String(value) >= operand],
  ["<in>", (value, operand) => String(value).includes(operand)],
  ["<is>", (value, operand) => truth(value) === truth(operand)],
  ["<or>", (value, operand) => alternatives(operand).some((one) => isText(value, one))],
]);

/**
 * Whether a capability meets a requirement of an extra spec: an operator, a space and an operand, or a bare text that the
 * capability must be. A list meets it when any of its items does; what is not there (null, undefined) meets none.
 *
 * @param value the capability as a backend reports it
 */
export function matchesExtraSpec(value: unknown, requirement: string): boolean {
  if (Array.isArray(value)) return value.some((item) => matchesExtraSpec(item, requirement));
  if (!isScalar(value)) return false;
  const [sign = "", ...words] = requirement.trim().split(/\s+/);
  const test = tests.get(sign);
  if (test === undefined) return isText(value, requirement);
  return words.length > 0 && test(value, requirement.trim().slice(sign.length).trim());
}

/**
 * Whether capabilities meet all requirements that concern them: those whose key has no scope or the scope `capabilities:`.
 * More colons lead into nested capabilities.
 */
export function matchesExtraSpecs(
  capabilities: Readonly<Record<string, unknown>>,
  extraSpecs: ExtraSpecs,
): ExtraSpecsMatch {
  for (const [key, requirement] of Object.entries(extraSpecs)) {
    const path = capabilityPath(key);
    if (path === undefined) continue;
    const value = path.reduce<unknown>(member, capabilities);
    if (matchesExtraSpec(value, requirement)) continue;
    const found = value === undefined || value === null ? "is not reported" : `is ${JSON.stringify(value)}`;
    return {
      matches: false,
      reason: `${path.join(":")} ${found}, and "${requirement}" is required`,
    };
  }
  return { matches: true, reason: null };
}

function capabilityPath(key: string): readonly string[] | undefined {
  const parts = key.split(":");
  if (parts.length === 1) return parts;
  return parts[0] === "capabilities" ? parts.slice(1) : undefined;
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** A truth value is `true` here and `True` with Cinder: both are meant. */
function isText(value: Scalar, text: string): boolean {
  return typeof value === "boolean" ? String(value) === text.toLowerCase() : String(value) === text;
}

function numeric(holds: (value: number, operand: number) => boolean): Test {
  return (value, operand) => {
    const left = typeof value === "string" ? readNumeral(value) : Number(value);
    const right = readNumeral(operand);
    return left !== undefined && !Number.isNaN(left) && right !== undefined && holds(left, right);
  };
}

function truth(value: Scalar): boolean {
  return trueWords.has(String(value).trim().toLowerCase());
}

/** `a <or> b`: what stands between the operators, each of one or more words. */
function alternatives(operand: string): readonly string[] {
  const found: string[][] = [[]];
  for (const word of operand.split(/\s+/)) {
    if (word === "<or>") found.push([]);
    else found.at(-1)?.push(word);
  }
  return found.filter((words) => words.length > 0).map((words) => words.join(" "));
}
