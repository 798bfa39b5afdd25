import type { Attribute, AttributeSet, Provider } from "../../../resources/schema/index.ts";
import { registryHosts, sourceName, typePrefix } from "../names.ts";
import {
  nestingOf,
  presenceFlags,
  sortedAttributes,
  type TypeExpression,
  typeExpression,
} from "./attribute-schema.ts";

/** The types of https://developer.hashicorp.com/terraform/cli/commands/providers/schema, as far as we use them. */
export interface SchemaJson {
  readonly format_version: string;
  readonly provider_schemas: Readonly<Record<string, ProviderJson>>;
}

interface ProviderJson {
  readonly provider: VersionedJson;
  readonly resource_schemas: Readonly<Record<string, VersionedJson>>;
  readonly data_source_schemas: Readonly<Record<string, VersionedJson>>;
  readonly ephemeral_resource_schemas: Readonly<Record<string, VersionedJson>>;
  readonly resource_identity_schemas: Readonly<Record<string, IdentityJson>>;
}

interface VersionedJson {
  readonly version: number;
  readonly block: BlockJson;
}

interface BlockJson {
  readonly attributes: Readonly<Record<string, AttributeJson>>;
  readonly description: string;
  readonly description_kind: "markdown";
}

interface AttributeJson {
  readonly type?: TypeExpression;
  readonly nested_type?: {
    readonly attributes: Readonly<Record<string, AttributeJson>>;
    readonly nesting_mode: string;
  };
  readonly description: string;
  readonly description_kind: "markdown";
  readonly deprecated?: true;
  readonly required?: true;
  readonly optional?: true;
  readonly computed?: true;
  readonly sensitive?: true;
  readonly write_only?: true;
}

interface IdentityJson {
  readonly version: number;
  readonly attributes: Readonly<
    Record<
      string,
      { readonly type: "string"; readonly description: string; readonly required_for_import: true }
    >
  >;
}

/** What `terraform providers schema -json` (1.12 and later) and `tofu providers schema -json` print for `provider`. */
export function emitSchemaJson(provider: Provider): SchemaJson {
  const schemas: ProviderJson = {
    provider: versioned(provider.attributes, provider.description, 0),
    resource_schemas: byTypeName(provider.resources, ({ attributes, description, version }) =>
      versioned(attributes, description, version),
    ),
    data_source_schemas: byTypeName(provider.dataSources, ({ attributes, description }) =>
      versioned(attributes, description, 0),
    ),
    ephemeral_resource_schemas: byTypeName(provider.ephemerals, ({ attributes, description }) =>
      versioned(attributes, description, 0),
    ),
    resource_identity_schemas: byTypeName(provider.resources, ({ identity }) => ({
      version: 0,
      attributes: Object.fromEntries(
        Object.entries(identity).map(([name, description]) => [
          name,
          { type: "string", description, required_for_import: true },
        ]),
      ),
    })),
  };
  return { format_version: "1.0", provider_schemas: { [`${registryHosts[0]}/${sourceName}`]: schemas } };
}

function byTypeName<T extends { readonly name: string }, J>(
  declared: readonly T[],
  emit: (declaration: T) => J,
): Record<string, J> {
  return Object.fromEntries(
    declared
      .map((declaration): [string, J] => [typePrefix + declaration.name, emit(declaration)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function versioned(attributes: AttributeSet, description: string, version: number): VersionedJson {
  return {
    version,
    block: { attributes: attributesJson(attributes), description, description_kind: "markdown" },
  };
}

function attributesJson(attributes: AttributeSet): Record<string, AttributeJson> {
  return Object.fromEntries(
    sortedAttributes(attributes).map(([name, attribute]) => [name, attributeJson(attribute)]),
  );
}

/** Flags that are not set are left out. */
function attributeJson(attribute: Attribute): AttributeJson {
  const type = typeExpression(attribute.type);
  const nesting = nestingOf(attribute.type);
  const { required, optional, computed } = presenceFlags(attribute);
  return {
    ...(type !== undefined && { type }),
    ...(nesting !== undefined && {
      nested_type: { attributes: attributesJson(nesting.attributes), nesting_mode: nesting.mode },
    }),
    description: attribute.description,
    description_kind: "markdown",
    ...(attribute.deprecated !== undefined && { deprecated: true }),
    ...(required && { required }),
    ...(optional && { optional }),
    ...(computed && { computed }),
    ...(attribute.sensitive && { sensitive: true }),
    ...(attribute.writeOnly && { write_only: true }),
  };
}
