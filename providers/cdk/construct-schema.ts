/** As `terraform providers schema -json` prints it, as far as constructs look. */
export interface ProviderSchemas {
  readonly provider_schemas?: Readonly<Record<string, ProviderSchema>>;
}

interface ProviderSchema {
  readonly resource_schemas?: Readonly<Record<string, ResourceSchema>>;
}

interface ResourceSchema {
  readonly block: { readonly attributes?: Readonly<Record<string, unknown>> };
}

/**
 * What every construct has already, of another type: the settings of provisioners. An attribute of that name can be set
 * with `addOverride("connection", …)` only.
 */
const takenNames: readonly string[] = ["connection"];

/** The schema without the attributes that constructs have no room for. */
export function constructSchema<S extends ProviderSchemas>(schemas: S): S {
  return {
    ...schemas,
    provider_schemas: mapValues(schemas.provider_schemas, (provider) => ({
      ...provider,
      resource_schemas: mapValues(provider.resource_schemas, (resource) => ({
        ...resource,
        block: { ...resource.block, attributes: withoutTaken(resource.block.attributes) },
      })),
    })),
  };
}

function withoutTaken(attributes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !takenNames.includes(name)));
}

function mapValues<T>(values: Readonly<Record<string, T>> = {}, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
