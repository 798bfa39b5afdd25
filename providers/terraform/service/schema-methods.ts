import type { Provider } from "../../../resources/schema/index.ts";
import type { Routes } from "../grpc/server.ts";
import { typePrefix } from "../names.ts";
import {
  ProviderMethods,
  type ResourceIdentitySchema,
  type Schema,
} from "../protocol/generated/tfplugin6.ts";
import type { Init } from "../protocol/message.ts";
import { wireSchema } from "../schema/wire-schema.ts";

const serverCapabilities = {
  planDestroy: true,
  getProviderSchemaOptional: true,
  moveResourceState: true,
} as const;

/** What the provider offers. There are no functions, lists or actions. */
export function routeSchemaMethods(routes: Routes, provider: Provider): void {
  routes.unary(ProviderMethods.getMetadata, async () => ({
    serverCapabilities,
    resources: provider.resources.map(({ name }) => ({ typeName: typePrefix + name })),
    dataSources: provider.dataSources.map(({ name }) => ({ typeName: typePrefix + name })),
    ephemeralResources: provider.ephemerals.map(({ name }) => ({ typeName: typePrefix + name })),
  }));
  routes.unary(ProviderMethods.getProviderSchema, async () => ({
    serverCapabilities,
    provider: wireSchema(provider.attributes, provider.description),
    providerMeta: { block: {} },
    resourceSchemas: new Map<string, Init<Schema>>(
      provider.resources.map(({ name, attributes, description, version }) => [
        typePrefix + name,
        wireSchema(attributes, description, version),
      ]),
    ),
    dataSourceSchemas: new Map<string, Init<Schema>>(
      provider.dataSources.map(({ name, attributes, description }) => [
        typePrefix + name,
        wireSchema(attributes, description),
      ]),
    ),
    ephemeralResourceSchemas: new Map<string, Init<Schema>>(
      provider.ephemerals.map(({ name, attributes, description }) => [
        typePrefix + name,
        wireSchema(attributes, description),
      ]),
    ),
  }));
  routes.unary(ProviderMethods.getResourceIdentitySchemas, async () => ({
    identitySchemas: new Map<string, Init<ResourceIdentitySchema>>(
      provider.resources.map(({ name, identity }) => [
        typePrefix + name,
        {
          version: 0,
          identityAttributes: Object.entries(identity).map(([attribute, description]) => ({
            name: attribute,
            type: Buffer.from('"string"'),
            requiredForImport: true,
            description,
          })),
        },
      ]),
    ),
  }));
  routes.unary(ProviderMethods.getFunctions, async () => ({}));
}
