import { camelCase } from "../../providers/pulumi/names.ts";
import {
  type Attribute,
  type AttributeSet,
  type AttributeType,
  isConfigurable,
  nestedAttributes,
} from "../../resources/schema/index.ts";

type Entry = readonly [name: string, attribute: Attribute];

/** What the user sets: a table, and one more for each argument that has arguments of its own. */
export function argumentTables(attributes: AttributeSet): string {
  const entries = Object.entries(attributes).filter(([, attribute]) => isConfigurable(attribute));
  return (
    table(["Argument", "Type", "Use", "What it is"], entries.map(argumentRow)) +
    nested(entries, argumentTables)
  );
}

/** What the backend alone sets. */
export function attributeTables(attributes: AttributeSet): string {
  const entries = Object.entries(attributes).filter(([, attribute]) => !isConfigurable(attribute));
  return (
    table(["Attribute", "Type", "What it is"], entries.map(attributeRow)) + nested(entries, attributeTables)
  );
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

function nested(entries: readonly Entry[], tables: (attributes: AttributeSet) => string): string {
  return entries
    .flatMap(([name, { type }]) => {
      // Timeouts have a section of their own.
      const inner = name === "timeouts" ? undefined : nestedAttributes(type);
      return inner === undefined ? [] : [`\n### ${spellings(name)}\n\n${shapeOf(type)}\n\n${tables(inner)}`];
    })
    .join("");
}

function shapeOf({ kind }: AttributeType): string {
  if (kind === "object_map") return "A map: any names, each with";
  return kind === "object_list" ? "A list, each item with" : "An object with";
}

function argumentRow([name, attribute]: Entry): readonly string[] {
  return [spellings(name), typeName(attribute.type), useOf(attribute), descriptionOf(attribute)];
}

function attributeRow([name, attribute]: Entry): readonly string[] {
  const mayBeNull = attribute.presence === "computed_nullable" && !/\bnull\b/.test(attribute.description);
  const description = cell(attribute.description);
  return [
    spellings(name),
    typeName(attribute.type),
    mayBeNull ? `${description} Null where there is none.` : description,
  ];
}

/** The name in Terraform, and in Pulumi and constructs where it differs. */
function spellings(name: string): string {
  const camel = camelCase(name);
  return camel === name ? `\`${name}\`` : `\`${name}\` / \`${camel}\``;
}

export function typeName(type: AttributeType): string {
  switch (type.kind) {
    case "integer":
      return "whole number";
    case "map":
      return `map of ${typeName(type.element)}s`;
    case "list":
      return `list of ${typeName(type.element)}s`;
    case "object_map":
      return "map of objects";
    case "object_list":
      return "list of objects";
    default:
      return type.kind;
  }
}

function useOf(attribute: Attribute): string {
  switch (attribute.presence) {
    case "required":
      return "required";
    case "defaulted":
      return `optional; default \`${JSON.stringify(attribute.default)}\``;
    case "optional_computed":
      return "optional; else computed";
    default:
      return "optional";
  }
}

/** The description, and what else is declared: what values must be, what a change does, what is secret. */
function descriptionOf(attribute: Attribute): string {
  const sentences = [attribute.description];
  // The type already says that a number is whole.
  const rules = attribute.validators
    .map(({ description }) => description)
    .filter((rule) => rule !== "be a whole number");
  if (rules.length > 0) sentences.push(`Must ${rules.join("; must ")}.`);
  if (attribute.replaces) sentences.push("**A change makes a new object in place of the old one.**");
  if (attribute.sensitive)
    sentences.push("Sensitive: masked by the engine, and never in the state of a resource.");
  if (attribute.writeOnly) sentences.push("Write-only: sent, but never stored.");
  if (attribute.deprecated !== undefined) sentences.push(`**Deprecated:** ${attribute.deprecated}`);
  return cell(sentences.join(" "));
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
