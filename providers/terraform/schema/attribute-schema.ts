import {
  type Attribute,
  type AttributeSet,
  type AttributeType,
  nestedAttributes,
} from "../../../resources/schema/index.ts";

/** A type as engines write it in JSON. */
export type TypeExpression = string | readonly ["list" | "map", TypeExpression];

/** The flags by which engines know who sets an attribute. */
export interface PresenceFlags {
  readonly required: boolean;
  readonly optional: boolean;
  readonly computed: boolean;
}

/** What is set by default counts as computed: it may stand in a plan without standing in the configuration. */
export function presenceFlags({ presence }: Attribute): PresenceFlags {
  const required = presence === "required";
  return {
    required,
    optional: !required && presence !== "computed" && presence !== "computed_nullable",
    computed: !required && presence !== "optional",
  };
}

/** Undefined for what has attributes of its own. */
export function typeExpression(type: AttributeType): TypeExpression | undefined {
  switch (type.kind) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "integer":
    case "number":
      return "number";
    case "list":
    case "map": {
      const element = typeExpression(type.element);
      return element === undefined ? undefined : [type.kind, element];
    }
    default:
      return undefined;
  }
}

export interface Nesting {
  readonly mode: "single" | "list" | "map";
  readonly attributes: AttributeSet;
}

/** Undefined for what has no attributes of its own. */
export function nestingOf(type: AttributeType): Nesting | undefined {
  const attributes = nestedAttributes(type);
  if (attributes === undefined) return undefined;
  const mode = type.kind === "object" ? "single" : type.kind === "object_list" ? "list" : "map";
  return { mode, attributes };
}

/** By name, as engines order them. */
export function sortedAttributes(attributes: AttributeSet): [string, Attribute][] {
  return Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
}
