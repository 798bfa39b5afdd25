import {
  type AttributeSet,
  type DataSource,
  type Ephemeral,
  type Provider,
  type Resource,
  string,
  type Values,
} from "../../../resources/schema/index.ts";
import { GrpcError, statusCodes } from "../grpc/status.ts";
import { typePrefix } from "../names.ts";
import type { ResourceIdentityData } from "../protocol/generated/tfplugin6.ts";
import type { Init } from "../protocol/message.ts";
import { type Codec, createCodec } from "../values/codec.ts";

/** A resource with what translates its values. */
export interface ResourceEntry {
  readonly typeName: string;
  readonly resource: Resource;
  readonly codec: Codec;
  readonly identityCodec: Codec;
}

export interface DataSourceEntry {
  readonly typeName: string;
  readonly dataSource: DataSource;
  readonly codec: Codec;
}

export interface EphemeralEntry {
  readonly typeName: string;
  readonly ephemeral: Ephemeral;
  readonly codec: Codec;
}

/** Everything that a provider declares, by the names that engines use. Codecs are made when first asked for, and kept. */
export class Catalog {
  readonly provider: Provider;
  readonly providerCodec: Codec;
  readonly #resources = new Map<string, ResourceEntry>();
  readonly #dataSources = new Map<string, DataSourceEntry>();
  readonly #ephemerals = new Map<string, EphemeralEntry>();

  constructor(provider: Provider) {
    this.provider = provider;
    this.providerCodec = createCodec(provider.attributes);
  }

  /** Throws `GrpcError` for an unknown name: the engine has read the schema, and asks only for what is there. */
  resource(typeName: string): ResourceEntry {
    const known = this.#resources.get(typeName);
    if (known !== undefined) return known;
    const resource = this.provider.resources.find(({ name }) => typePrefix + name === typeName);
    if (resource === undefined) throw unknownType(typeName);
    const entry = {
      typeName,
      resource,
      codec: createCodec(resource.attributes),
      identityCodec: createCodec(identityAttributes(resource)),
    };
    this.#resources.set(typeName, entry);
    return entry;
  }

  /** Throws `GrpcError` for an unknown name. */
  dataSource(typeName: string): DataSourceEntry {
    const known = this.#dataSources.get(typeName);
    if (known !== undefined) return known;
    const dataSource = this.provider.dataSources.find(({ name }) => typePrefix + name === typeName);
    if (dataSource === undefined) throw unknownType(typeName);
    const entry = { typeName, dataSource, codec: createCodec(dataSource.attributes) };
    this.#dataSources.set(typeName, entry);
    return entry;
  }

  /** Throws `GrpcError` for an unknown name. */
  ephemeral(typeName: string): EphemeralEntry {
    const known = this.#ephemerals.get(typeName);
    if (known !== undefined) return known;
    const ephemeral = this.provider.ephemerals.find(({ name }) => typePrefix + name === typeName);
    if (ephemeral === undefined) throw unknownType(typeName);
    const entry = { typeName, ephemeral, codec: createCodec(ephemeral.attributes) };
    this.#ephemerals.set(typeName, entry);
    return entry;
  }
}

function unknownType(typeName: string): GrpcError {
  return new GrpcError(statusCodes.invalidArgument, `This provider has no ${typeName}.`);
}

function identityAttributes(resource: Resource): AttributeSet {
  return Object.fromEntries(
    Object.entries(resource.identity).map(([name, description]) => [
      name,
      string("required", { description }),
    ]),
  );
}

/** The identity of what `state` describes; undefined where the state does not hold it whole. */
export function wireIdentity(
  entry: ResourceEntry,
  state: Values | null | undefined,
): Init<ResourceIdentityData> | undefined {
  if (state === null || state === undefined) return undefined;
  const identity: Values = entry.resource.identityOf(state);
  const whole = Object.values(identity).every((part) => typeof part === "string");
  return whole ? { identityData: entry.identityCodec.encode(identity).value } : undefined;
}
