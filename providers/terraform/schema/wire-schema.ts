import type { Attribute, AttributeSet } from "../../../resources/schema/index.ts";
import {
  type Schema,
  type SchemaAttribute,
  SchemaObjectNestingMode,
  StringKind,
} from "../protocol/generated/tfplugin6.ts";
import type { Init } from "../protocol/message.ts";
import { nestingOf, presenceFlags, sortedAttributes, typeExpression } from "./attribute-schema.ts";

const nestingModes = {
  single: SchemaObjectNestingMode.SINGLE,
  list: SchemaObjectNestingMode.LIST,
  map: SchemaObjectNestingMode.MAP,
} as const;

/** A declaration as the protocol carries it. All descriptions are Markdown; nesting is by attributes, not blocks. */
export function wireSchema(attributes: AttributeSet, description: string, version = 0): Init<Schema> {
  return {
    version,
    block: {
      version,
      description,
      descriptionKind: StringKind.MARKDOWN,
      attributes: sortedAttributes(attributes).map(wireAttribute),
    },
  };
}

function wireAttribute([name, attribute]: [string, Attribute]): Init<SchemaAttribute> {
  const type = typeExpression(attribute.type);
  const nesting = nestingOf(attribute.type);
  return {
    name,
    ...presenceFlags(attribute),
    ...(type !== undefined && { type: Buffer.from(JSON.stringify(type)) }),
    ...(nesting !== undefined && {
      nestedType: {
        nesting: nestingModes[nesting.mode],
        attributes: sortedAttributes(nesting.attributes).map(wireAttribute),
      },
    }),
    description: attribute.description,
    descriptionKind: StringKind.MARKDOWN,
    sensitive: attribute.sensitive,
    writeOnly: attribute.writeOnly,
    deprecated: attribute.deprecated !== undefined,
  };
}
