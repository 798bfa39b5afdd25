import { camelCase } from "../../providers/pulumi/names.ts";
import {
  type Attribute,
  type AttributeSet,
  isConfigurable,
  type Value,
} from "../../resources/schema/index.ts";

/** The two notations of examples. */
export type Notation = "hcl" | "typescript";

/** What stands for attributes whose value comes from another object. */
const references: Readonly<Record<string, Readonly<Record<Notation, string>>>> = {
  volume_id: { hcl: "breezeblock_volume.db.id", typescript: "db.id" },
  volume_size: { hcl: "breezeblock_volume.db.size", typescript: "db.size" },
};

/** Keys of the provider's maps, fitting to the examples of the attributes that name an entry. */
const entryNames: Readonly<Record<string, string>> = { hosts: "san1", backends: "fast" };

interface Line {
  readonly name: string;
  readonly text: string;
}

const topIndent = "  ";

/** The attributes that have an example, as the lines of a block or object literal. */
export function exampleBody(attributes: AttributeSet, notation: Notation, indent = topIndent): string {
  const lines = exampleLines(attributes, notation, indent);
  if (notation === "typescript")
    return lines.map(({ name, text }) => `${indent}${name}: ${text},\n`).join("");
  return alignedAssignments(lines, indent);
}

/** As `terraform fmt` aligns them: neighbours of one line each together. */
function alignedAssignments(lines: readonly Line[], indent: string): string {
  const groups: Line[][] = [];
  for (const line of lines) {
    const previous = groups.at(-1);
    const alone = line.text.includes("\n") || previous?.at(-1)?.text.includes("\n") !== false;
    if (alone || previous === undefined) groups.push([line]);
    else previous.push(line);
  }
  return groups
    .flatMap((group) => {
      const width = Math.max(...group.map(({ name }) => name.length));
      return group.map(({ name, text }) => `${indent}${name.padEnd(width)} = ${text}\n`);
    })
    .join("");
}

function exampleLines(attributes: AttributeSet, notation: Notation, indent: string): readonly Line[] {
  return Object.entries(attributes).flatMap(([name, attribute]) => {
    // Below the top level, or where there is another way, they are for special cases only.
    const isUsual = indent === topIndent && attribute.presence !== "optional_computed";
    const reference = isUsual ? references[name]?.[notation] : undefined;
    const text = reference ?? exampleOf(name, attribute, notation, indent);
    if (text === undefined || !isConfigurable(attribute)) return [];
    return [{ name: notation === "hcl" ? name : camelCase(name), text }];
  });
}

function exampleOf(
  name: string,
  { type, example }: Attribute,
  notation: Notation,
  indent: string,
): string | undefined {
  if (example !== undefined) return literal(example, notation);
  const inner = `${indent}  `;
  const object = (attributes: AttributeSet, depth: string) => {
    const body = exampleBody(attributes, notation, `${depth}  `);
    return body === "" ? undefined : `{\n${body}${depth}}`;
  };
  if (type.kind === "object") return object(type.attributes, indent);
  const key = entryNames[name];
  if (type.kind !== "object_map" || key === undefined) return undefined;
  const entry = object(type.attributes, inner);
  if (entry === undefined) return undefined;
  return notation === "hcl"
    ? `{\n${inner}${key} = ${entry}\n${indent}}`
    : `{\n${inner}${key}: ${entry},\n${indent}}`;
}

function literal(value: Value, notation: Notation): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, notation)).join(", ")}]`;
  const separator = notation === "hcl" ? " = " : ": ";
  const entries = Object.entries(value).map(([key, item]) => `${key}${separator}${literal(item, notation)}`);
  return `{ ${entries.join(", ")} }`;
}
