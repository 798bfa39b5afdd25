// Generated from tfplugin6.proto by scripts/generate-protocol.ts; not to be edited.
import { type MessageType, type Method, messageType } from "../message.ts";

export interface DynamicValue {
  readonly msgpack: Uint8Array;
  readonly json: Uint8Array;
}
export const DynamicValue: MessageType<DynamicValue> = messageType([
  { number: 1, name: "msgpack", kind: "bytes", shape: "single" },
  { number: 2, name: "json", kind: "bytes", shape: "single" },
]);

export const DiagnosticSeverity = {
  INVALID: 0,
  ERROR: 1,
  WARNING: 2,
} as const;
export type DiagnosticSeverity = (typeof DiagnosticSeverity)[keyof typeof DiagnosticSeverity];

export interface Diagnostic {
  readonly severity: DiagnosticSeverity;
  readonly summary: string;
  readonly detail: string;
  readonly attribute: AttributePath | undefined;
}
export const Diagnostic: MessageType<Diagnostic> = messageType([
  { number: 1, name: "severity", kind: "enum", shape: "single" },
  { number: 2, name: "summary", kind: "string", shape: "single" },
  { number: 3, name: "detail", kind: "string", shape: "single" },
  { number: 4, name: "attribute", kind: "message", shape: "present", message: () => AttributePath },
]);

export interface AttributePathStep {
  readonly attributeName: string | undefined;
  readonly elementKeyString: string | undefined;
  readonly elementKeyInt: number | undefined;
}
export const AttributePathStep: MessageType<AttributePathStep> = messageType([
  { number: 1, name: "attributeName", kind: "string", shape: "present" },
  { number: 2, name: "elementKeyString", kind: "string", shape: "present" },
  { number: 3, name: "elementKeyInt", kind: "integer", shape: "present" },
]);

export interface AttributePath {
  readonly steps: readonly AttributePathStep[];
}
export const AttributePath: MessageType<AttributePath> = messageType([
  { number: 1, name: "steps", kind: "message", shape: "repeated", message: () => AttributePathStep },
]);

export interface RawState {
  readonly json: Uint8Array;
  readonly flatmap: ReadonlyMap<string, string>;
}
export const RawState: MessageType<RawState> = messageType([
  { number: 1, name: "json", kind: "bytes", shape: "single" },
  { number: 2, name: "flatmap", kind: "string", shape: "map" },
]);

export const StringKind = {
  PLAIN: 0,
  MARKDOWN: 1,
} as const;
export type StringKind = (typeof StringKind)[keyof typeof StringKind];

export interface SchemaBlock {
  readonly version: number;
  readonly attributes: readonly SchemaAttribute[];
  readonly description: string;
  readonly descriptionKind: StringKind;
  readonly deprecated: boolean;
}
export const SchemaBlock: MessageType<SchemaBlock> = messageType([
  { number: 1, name: "version", kind: "integer", shape: "single" },
  { number: 2, name: "attributes", kind: "message", shape: "repeated", message: () => SchemaAttribute },
  { number: 4, name: "description", kind: "string", shape: "single" },
  { number: 5, name: "descriptionKind", kind: "enum", shape: "single" },
  { number: 6, name: "deprecated", kind: "bool", shape: "single" },
]);

export interface SchemaAttribute {
  readonly name: string;
  readonly type: Uint8Array;
  readonly description: string;
  readonly required: boolean;
  readonly optional: boolean;
  readonly computed: boolean;
  readonly sensitive: boolean;
  readonly descriptionKind: StringKind;
  readonly deprecated: boolean;
  readonly nestedType: SchemaObject | undefined;
  readonly writeOnly: boolean;
}
export const SchemaAttribute: MessageType<SchemaAttribute> = messageType([
  { number: 1, name: "name", kind: "string", shape: "single" },
  { number: 2, name: "type", kind: "bytes", shape: "single" },
  { number: 3, name: "description", kind: "string", shape: "single" },
  { number: 4, name: "required", kind: "bool", shape: "single" },
  { number: 5, name: "optional", kind: "bool", shape: "single" },
  { number: 6, name: "computed", kind: "bool", shape: "single" },
  { number: 7, name: "sensitive", kind: "bool", shape: "single" },
  { number: 8, name: "descriptionKind", kind: "enum", shape: "single" },
  { number: 9, name: "deprecated", kind: "bool", shape: "single" },
  { number: 10, name: "nestedType", kind: "message", shape: "present", message: () => SchemaObject },
  { number: 11, name: "writeOnly", kind: "bool", shape: "single" },
]);

export const SchemaObjectNestingMode = {
  INVALID: 0,
  SINGLE: 1,
  LIST: 2,
  SET: 3,
  MAP: 4,
} as const;
export type SchemaObjectNestingMode = (typeof SchemaObjectNestingMode)[keyof typeof SchemaObjectNestingMode];

export interface SchemaObject {
  readonly attributes: readonly SchemaAttribute[];
  readonly nesting: SchemaObjectNestingMode;
}
export const SchemaObject: MessageType<SchemaObject> = messageType([
  { number: 1, name: "attributes", kind: "message", shape: "repeated", message: () => SchemaAttribute },
  { number: 3, name: "nesting", kind: "enum", shape: "single" },
]);

export interface Schema {
  readonly version: number;
  readonly block: SchemaBlock | undefined;
}
export const Schema: MessageType<Schema> = messageType([
  { number: 1, name: "version", kind: "integer", shape: "single" },
  { number: 2, name: "block", kind: "message", shape: "present", message: () => SchemaBlock },
]);

export interface ResourceIdentitySchemaIdentityAttribute {
  readonly name: string;
  readonly type: Uint8Array;
  readonly requiredForImport: boolean;
  readonly optionalForImport: boolean;
  readonly description: string;
}
export const ResourceIdentitySchemaIdentityAttribute: MessageType<ResourceIdentitySchemaIdentityAttribute> = messageType([
  { number: 1, name: "name", kind: "string", shape: "single" },
  { number: 2, name: "type", kind: "bytes", shape: "single" },
  { number: 3, name: "requiredForImport", kind: "bool", shape: "single" },
  { number: 4, name: "optionalForImport", kind: "bool", shape: "single" },
  { number: 5, name: "description", kind: "string", shape: "single" },
]);

export interface ResourceIdentitySchema {
  readonly version: number;
  readonly identityAttributes: readonly ResourceIdentitySchemaIdentityAttribute[];
}
export const ResourceIdentitySchema: MessageType<ResourceIdentitySchema> = messageType([
  { number: 1, name: "version", kind: "integer", shape: "single" },
  { number: 2, name: "identityAttributes", kind: "message", shape: "repeated", message: () => ResourceIdentitySchemaIdentityAttribute },
]);

export interface ResourceIdentityData {
  readonly identityData: DynamicValue | undefined;
}
export const ResourceIdentityData: MessageType<ResourceIdentityData> = messageType([
  { number: 1, name: "identityData", kind: "message", shape: "present", message: () => DynamicValue },
]);

export interface ServerCapabilities {
  readonly planDestroy: boolean;
  readonly getProviderSchemaOptional: boolean;
  readonly moveResourceState: boolean;
}
export const ServerCapabilities: MessageType<ServerCapabilities> = messageType([
  { number: 1, name: "planDestroy", kind: "bool", shape: "single" },
  { number: 2, name: "getProviderSchemaOptional", kind: "bool", shape: "single" },
  { number: 3, name: "moveResourceState", kind: "bool", shape: "single" },
]);

export interface ClientCapabilities {
  readonly deferralAllowed: boolean;
  readonly writeOnlyAttributesAllowed: boolean;
}
export const ClientCapabilities: MessageType<ClientCapabilities> = messageType([
  { number: 1, name: "deferralAllowed", kind: "bool", shape: "single" },
  { number: 2, name: "writeOnlyAttributesAllowed", kind: "bool", shape: "single" },
]);

export type Function = Readonly<Record<never, never>>;
export const Function: MessageType<Function> = messageType([]);

export type GetMetadataRequest = Readonly<Record<never, never>>;
export const GetMetadataRequest: MessageType<GetMetadataRequest> = messageType([]);

export interface GetMetadataResponse {
  readonly serverCapabilities: ServerCapabilities | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly dataSources: readonly GetMetadataDataSourceMetadata[];
  readonly resources: readonly GetMetadataResourceMetadata[];
  readonly ephemeralResources: readonly GetMetadataEphemeralMetadata[];
}
export const GetMetadataResponse: MessageType<GetMetadataResponse> = messageType([
  { number: 1, name: "serverCapabilities", kind: "message", shape: "present", message: () => ServerCapabilities },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
  { number: 3, name: "dataSources", kind: "message", shape: "repeated", message: () => GetMetadataDataSourceMetadata },
  { number: 4, name: "resources", kind: "message", shape: "repeated", message: () => GetMetadataResourceMetadata },
  { number: 6, name: "ephemeralResources", kind: "message", shape: "repeated", message: () => GetMetadataEphemeralMetadata },
]);

export interface GetMetadataEphemeralMetadata {
  readonly typeName: string;
}
export const GetMetadataEphemeralMetadata: MessageType<GetMetadataEphemeralMetadata> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
]);

export interface GetMetadataDataSourceMetadata {
  readonly typeName: string;
}
export const GetMetadataDataSourceMetadata: MessageType<GetMetadataDataSourceMetadata> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
]);

export interface GetMetadataResourceMetadata {
  readonly typeName: string;
}
export const GetMetadataResourceMetadata: MessageType<GetMetadataResourceMetadata> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
]);

export type GetProviderSchemaRequest = Readonly<Record<never, never>>;
export const GetProviderSchemaRequest: MessageType<GetProviderSchemaRequest> = messageType([]);

export interface GetProviderSchemaResponse {
  readonly provider: Schema | undefined;
  readonly resourceSchemas: ReadonlyMap<string, Schema>;
  readonly dataSourceSchemas: ReadonlyMap<string, Schema>;
  readonly diagnostics: readonly Diagnostic[];
  readonly providerMeta: Schema | undefined;
  readonly serverCapabilities: ServerCapabilities | undefined;
  readonly ephemeralResourceSchemas: ReadonlyMap<string, Schema>;
}
export const GetProviderSchemaResponse: MessageType<GetProviderSchemaResponse> = messageType([
  { number: 1, name: "provider", kind: "message", shape: "present", message: () => Schema },
  { number: 2, name: "resourceSchemas", kind: "message", shape: "map", message: () => Schema },
  { number: 3, name: "dataSourceSchemas", kind: "message", shape: "map", message: () => Schema },
  { number: 4, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
  { number: 5, name: "providerMeta", kind: "message", shape: "present", message: () => Schema },
  { number: 6, name: "serverCapabilities", kind: "message", shape: "present", message: () => ServerCapabilities },
  { number: 8, name: "ephemeralResourceSchemas", kind: "message", shape: "map", message: () => Schema },
]);

export type GetResourceIdentitySchemasRequest = Readonly<Record<never, never>>;
export const GetResourceIdentitySchemasRequest: MessageType<GetResourceIdentitySchemasRequest> = messageType([]);

export interface GetResourceIdentitySchemasResponse {
  readonly identitySchemas: ReadonlyMap<string, ResourceIdentitySchema>;
  readonly diagnostics: readonly Diagnostic[];
}
export const GetResourceIdentitySchemasResponse: MessageType<GetResourceIdentitySchemasResponse> = messageType([
  { number: 1, name: "identitySchemas", kind: "message", shape: "map", message: () => ResourceIdentitySchema },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export type GetFunctionsRequest = Readonly<Record<never, never>>;
export const GetFunctionsRequest: MessageType<GetFunctionsRequest> = messageType([]);

export interface GetFunctionsResponse {
  readonly functions: ReadonlyMap<string, Function>;
  readonly diagnostics: readonly Diagnostic[];
}
export const GetFunctionsResponse: MessageType<GetFunctionsResponse> = messageType([
  { number: 1, name: "functions", kind: "message", shape: "map", message: () => Function },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface ValidateProviderConfigRequest {
  readonly config: DynamicValue | undefined;
}
export const ValidateProviderConfigRequest: MessageType<ValidateProviderConfigRequest> = messageType([
  { number: 1, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
]);

export interface ValidateProviderConfigResponse {
  readonly diagnostics: readonly Diagnostic[];
}
export const ValidateProviderConfigResponse: MessageType<ValidateProviderConfigResponse> = messageType([
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface ValidateResourceConfigRequest {
  readonly typeName: string;
  readonly config: DynamicValue | undefined;
  readonly clientCapabilities: ClientCapabilities | undefined;
}
export const ValidateResourceConfigRequest: MessageType<ValidateResourceConfigRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 3, name: "clientCapabilities", kind: "message", shape: "present", message: () => ClientCapabilities },
]);

export interface ValidateResourceConfigResponse {
  readonly diagnostics: readonly Diagnostic[];
}
export const ValidateResourceConfigResponse: MessageType<ValidateResourceConfigResponse> = messageType([
  { number: 1, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface ValidateDataResourceConfigRequest {
  readonly typeName: string;
  readonly config: DynamicValue | undefined;
}
export const ValidateDataResourceConfigRequest: MessageType<ValidateDataResourceConfigRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
]);

export interface ValidateDataResourceConfigResponse {
  readonly diagnostics: readonly Diagnostic[];
}
export const ValidateDataResourceConfigResponse: MessageType<ValidateDataResourceConfigResponse> = messageType([
  { number: 1, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface ConfigureProviderRequest {
  readonly terraformVersion: string;
  readonly config: DynamicValue | undefined;
  readonly clientCapabilities: ClientCapabilities | undefined;
}
export const ConfigureProviderRequest: MessageType<ConfigureProviderRequest> = messageType([
  { number: 1, name: "terraformVersion", kind: "string", shape: "single" },
  { number: 2, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 3, name: "clientCapabilities", kind: "message", shape: "present", message: () => ClientCapabilities },
]);

export interface ConfigureProviderResponse {
  readonly diagnostics: readonly Diagnostic[];
}
export const ConfigureProviderResponse: MessageType<ConfigureProviderResponse> = messageType([
  { number: 1, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export type StopProviderRequest = Readonly<Record<never, never>>;
export const StopProviderRequest: MessageType<StopProviderRequest> = messageType([]);

export interface StopProviderResponse {
  readonly Error: string;
}
export const StopProviderResponse: MessageType<StopProviderResponse> = messageType([
  { number: 1, name: "Error", kind: "string", shape: "single" },
]);

export interface UpgradeResourceStateRequest {
  readonly typeName: string;
  readonly version: number;
  readonly rawState: RawState | undefined;
}
export const UpgradeResourceStateRequest: MessageType<UpgradeResourceStateRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "version", kind: "integer", shape: "single" },
  { number: 3, name: "rawState", kind: "message", shape: "present", message: () => RawState },
]);

export interface UpgradeResourceStateResponse {
  readonly upgradedState: DynamicValue | undefined;
  readonly diagnostics: readonly Diagnostic[];
}
export const UpgradeResourceStateResponse: MessageType<UpgradeResourceStateResponse> = messageType([
  { number: 1, name: "upgradedState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface UpgradeResourceIdentityRequest {
  readonly typeName: string;
  readonly version: number;
  readonly rawIdentity: RawState | undefined;
}
export const UpgradeResourceIdentityRequest: MessageType<UpgradeResourceIdentityRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "version", kind: "integer", shape: "single" },
  { number: 3, name: "rawIdentity", kind: "message", shape: "present", message: () => RawState },
]);

export interface UpgradeResourceIdentityResponse {
  readonly upgradedIdentity: ResourceIdentityData | undefined;
  readonly diagnostics: readonly Diagnostic[];
}
export const UpgradeResourceIdentityResponse: MessageType<UpgradeResourceIdentityResponse> = messageType([
  { number: 1, name: "upgradedIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface ReadResourceRequest {
  readonly typeName: string;
  readonly currentState: DynamicValue | undefined;
  readonly private: Uint8Array;
  readonly clientCapabilities: ClientCapabilities | undefined;
  readonly currentIdentity: ResourceIdentityData | undefined;
}
export const ReadResourceRequest: MessageType<ReadResourceRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "currentState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 3, name: "private", kind: "bytes", shape: "single" },
  { number: 5, name: "clientCapabilities", kind: "message", shape: "present", message: () => ClientCapabilities },
  { number: 6, name: "currentIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface ReadResourceResponse {
  readonly newState: DynamicValue | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly private: Uint8Array;
  readonly newIdentity: ResourceIdentityData | undefined;
}
export const ReadResourceResponse: MessageType<ReadResourceResponse> = messageType([
  { number: 1, name: "newState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
  { number: 3, name: "private", kind: "bytes", shape: "single" },
  { number: 5, name: "newIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface PlanResourceChangeRequest {
  readonly typeName: string;
  readonly priorState: DynamicValue | undefined;
  readonly proposedNewState: DynamicValue | undefined;
  readonly config: DynamicValue | undefined;
  readonly priorPrivate: Uint8Array;
  readonly clientCapabilities: ClientCapabilities | undefined;
  readonly priorIdentity: ResourceIdentityData | undefined;
}
export const PlanResourceChangeRequest: MessageType<PlanResourceChangeRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "priorState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 3, name: "proposedNewState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 4, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 5, name: "priorPrivate", kind: "bytes", shape: "single" },
  { number: 7, name: "clientCapabilities", kind: "message", shape: "present", message: () => ClientCapabilities },
  { number: 8, name: "priorIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface PlanResourceChangeResponse {
  readonly plannedState: DynamicValue | undefined;
  readonly requiresReplace: readonly AttributePath[];
  readonly plannedPrivate: Uint8Array;
  readonly diagnostics: readonly Diagnostic[];
  readonly plannedIdentity: ResourceIdentityData | undefined;
}
export const PlanResourceChangeResponse: MessageType<PlanResourceChangeResponse> = messageType([
  { number: 1, name: "plannedState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 2, name: "requiresReplace", kind: "message", shape: "repeated", message: () => AttributePath },
  { number: 3, name: "plannedPrivate", kind: "bytes", shape: "single" },
  { number: 4, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
  { number: 7, name: "plannedIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface ApplyResourceChangeRequest {
  readonly typeName: string;
  readonly priorState: DynamicValue | undefined;
  readonly plannedState: DynamicValue | undefined;
  readonly config: DynamicValue | undefined;
  readonly plannedPrivate: Uint8Array;
  readonly plannedIdentity: ResourceIdentityData | undefined;
}
export const ApplyResourceChangeRequest: MessageType<ApplyResourceChangeRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "priorState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 3, name: "plannedState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 4, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 5, name: "plannedPrivate", kind: "bytes", shape: "single" },
  { number: 7, name: "plannedIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface ApplyResourceChangeResponse {
  readonly newState: DynamicValue | undefined;
  readonly private: Uint8Array;
  readonly diagnostics: readonly Diagnostic[];
  readonly newIdentity: ResourceIdentityData | undefined;
}
export const ApplyResourceChangeResponse: MessageType<ApplyResourceChangeResponse> = messageType([
  { number: 1, name: "newState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 2, name: "private", kind: "bytes", shape: "single" },
  { number: 3, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
  { number: 5, name: "newIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface ImportResourceStateRequest {
  readonly typeName: string;
  readonly id: string;
  readonly clientCapabilities: ClientCapabilities | undefined;
  readonly identity: ResourceIdentityData | undefined;
}
export const ImportResourceStateRequest: MessageType<ImportResourceStateRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "id", kind: "string", shape: "single" },
  { number: 3, name: "clientCapabilities", kind: "message", shape: "present", message: () => ClientCapabilities },
  { number: 4, name: "identity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface ImportResourceStateImportedResource {
  readonly typeName: string;
  readonly state: DynamicValue | undefined;
  readonly private: Uint8Array;
  readonly identity: ResourceIdentityData | undefined;
}
export const ImportResourceStateImportedResource: MessageType<ImportResourceStateImportedResource> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "state", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 3, name: "private", kind: "bytes", shape: "single" },
  { number: 4, name: "identity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface ImportResourceStateResponse {
  readonly importedResources: readonly ImportResourceStateImportedResource[];
  readonly diagnostics: readonly Diagnostic[];
}
export const ImportResourceStateResponse: MessageType<ImportResourceStateResponse> = messageType([
  { number: 1, name: "importedResources", kind: "message", shape: "repeated", message: () => ImportResourceStateImportedResource },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface MoveResourceStateRequest {
  readonly sourceProviderAddress: string;
  readonly sourceTypeName: string;
  readonly sourceSchemaVersion: number;
  readonly sourceState: RawState | undefined;
  readonly targetTypeName: string;
  readonly sourcePrivate: Uint8Array;
  readonly sourceIdentity: RawState | undefined;
  readonly sourceIdentitySchemaVersion: number;
}
export const MoveResourceStateRequest: MessageType<MoveResourceStateRequest> = messageType([
  { number: 1, name: "sourceProviderAddress", kind: "string", shape: "single" },
  { number: 2, name: "sourceTypeName", kind: "string", shape: "single" },
  { number: 3, name: "sourceSchemaVersion", kind: "integer", shape: "single" },
  { number: 4, name: "sourceState", kind: "message", shape: "present", message: () => RawState },
  { number: 5, name: "targetTypeName", kind: "string", shape: "single" },
  { number: 6, name: "sourcePrivate", kind: "bytes", shape: "single" },
  { number: 7, name: "sourceIdentity", kind: "message", shape: "present", message: () => RawState },
  { number: 8, name: "sourceIdentitySchemaVersion", kind: "integer", shape: "single" },
]);

export interface MoveResourceStateResponse {
  readonly targetState: DynamicValue | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly targetPrivate: Uint8Array;
  readonly targetIdentity: ResourceIdentityData | undefined;
}
export const MoveResourceStateResponse: MessageType<MoveResourceStateResponse> = messageType([
  { number: 1, name: "targetState", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
  { number: 3, name: "targetPrivate", kind: "bytes", shape: "single" },
  { number: 4, name: "targetIdentity", kind: "message", shape: "present", message: () => ResourceIdentityData },
]);

export interface ReadDataSourceRequest {
  readonly typeName: string;
  readonly config: DynamicValue | undefined;
  readonly clientCapabilities: ClientCapabilities | undefined;
}
export const ReadDataSourceRequest: MessageType<ReadDataSourceRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 4, name: "clientCapabilities", kind: "message", shape: "present", message: () => ClientCapabilities },
]);

export interface ReadDataSourceResponse {
  readonly state: DynamicValue | undefined;
  readonly diagnostics: readonly Diagnostic[];
}
export const ReadDataSourceResponse: MessageType<ReadDataSourceResponse> = messageType([
  { number: 1, name: "state", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 2, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface ValidateEphemeralResourceConfigRequest {
  readonly typeName: string;
  readonly config: DynamicValue | undefined;
}
export const ValidateEphemeralResourceConfigRequest: MessageType<ValidateEphemeralResourceConfigRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
]);

export interface ValidateEphemeralResourceConfigResponse {
  readonly diagnostics: readonly Diagnostic[];
}
export const ValidateEphemeralResourceConfigResponse: MessageType<ValidateEphemeralResourceConfigResponse> = messageType([
  { number: 1, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface OpenEphemeralResourceRequest {
  readonly typeName: string;
  readonly config: DynamicValue | undefined;
  readonly clientCapabilities: ClientCapabilities | undefined;
}
export const OpenEphemeralResourceRequest: MessageType<OpenEphemeralResourceRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "config", kind: "message", shape: "present", message: () => DynamicValue },
  { number: 3, name: "clientCapabilities", kind: "message", shape: "present", message: () => ClientCapabilities },
]);

export interface OpenEphemeralResourceResponse {
  readonly diagnostics: readonly Diagnostic[];
  readonly result: DynamicValue | undefined;
}
export const OpenEphemeralResourceResponse: MessageType<OpenEphemeralResourceResponse> = messageType([
  { number: 1, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
  { number: 3, name: "result", kind: "message", shape: "present", message: () => DynamicValue },
]);

export interface RenewEphemeralResourceRequest {
  readonly typeName: string;
  readonly private: Uint8Array;
}
export const RenewEphemeralResourceRequest: MessageType<RenewEphemeralResourceRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "private", kind: "bytes", shape: "single" },
]);

export interface RenewEphemeralResourceResponse {
  readonly diagnostics: readonly Diagnostic[];
}
export const RenewEphemeralResourceResponse: MessageType<RenewEphemeralResourceResponse> = messageType([
  { number: 1, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export interface CloseEphemeralResourceRequest {
  readonly typeName: string;
  readonly private: Uint8Array;
}
export const CloseEphemeralResourceRequest: MessageType<CloseEphemeralResourceRequest> = messageType([
  { number: 1, name: "typeName", kind: "string", shape: "single" },
  { number: 2, name: "private", kind: "bytes", shape: "single" },
]);

export interface CloseEphemeralResourceResponse {
  readonly diagnostics: readonly Diagnostic[];
}
export const CloseEphemeralResourceResponse: MessageType<CloseEphemeralResourceResponse> = messageType([
  { number: 1, name: "diagnostics", kind: "message", shape: "repeated", message: () => Diagnostic },
]);

export const ProviderMethods = {
  getMetadata: {
    path: "/tfplugin6.Provider/GetMetadata",
    request: GetMetadataRequest,
    response: GetMetadataResponse,
  } satisfies Method<GetMetadataRequest, GetMetadataResponse>,
  getProviderSchema: {
    path: "/tfplugin6.Provider/GetProviderSchema",
    request: GetProviderSchemaRequest,
    response: GetProviderSchemaResponse,
  } satisfies Method<GetProviderSchemaRequest, GetProviderSchemaResponse>,
  getResourceIdentitySchemas: {
    path: "/tfplugin6.Provider/GetResourceIdentitySchemas",
    request: GetResourceIdentitySchemasRequest,
    response: GetResourceIdentitySchemasResponse,
  } satisfies Method<GetResourceIdentitySchemasRequest, GetResourceIdentitySchemasResponse>,
  getFunctions: {
    path: "/tfplugin6.Provider/GetFunctions",
    request: GetFunctionsRequest,
    response: GetFunctionsResponse,
  } satisfies Method<GetFunctionsRequest, GetFunctionsResponse>,
  validateProviderConfig: {
    path: "/tfplugin6.Provider/ValidateProviderConfig",
    request: ValidateProviderConfigRequest,
    response: ValidateProviderConfigResponse,
  } satisfies Method<ValidateProviderConfigRequest, ValidateProviderConfigResponse>,
  validateResourceConfig: {
    path: "/tfplugin6.Provider/ValidateResourceConfig",
    request: ValidateResourceConfigRequest,
    response: ValidateResourceConfigResponse,
  } satisfies Method<ValidateResourceConfigRequest, ValidateResourceConfigResponse>,
  validateDataResourceConfig: {
    path: "/tfplugin6.Provider/ValidateDataResourceConfig",
    request: ValidateDataResourceConfigRequest,
    response: ValidateDataResourceConfigResponse,
  } satisfies Method<ValidateDataResourceConfigRequest, ValidateDataResourceConfigResponse>,
  configureProvider: {
    path: "/tfplugin6.Provider/ConfigureProvider",
    request: ConfigureProviderRequest,
    response: ConfigureProviderResponse,
  } satisfies Method<ConfigureProviderRequest, ConfigureProviderResponse>,
  stopProvider: {
    path: "/tfplugin6.Provider/StopProvider",
    request: StopProviderRequest,
    response: StopProviderResponse,
  } satisfies Method<StopProviderRequest, StopProviderResponse>,
  upgradeResourceState: {
    path: "/tfplugin6.Provider/UpgradeResourceState",
    request: UpgradeResourceStateRequest,
    response: UpgradeResourceStateResponse,
  } satisfies Method<UpgradeResourceStateRequest, UpgradeResourceStateResponse>,
  upgradeResourceIdentity: {
    path: "/tfplugin6.Provider/UpgradeResourceIdentity",
    request: UpgradeResourceIdentityRequest,
    response: UpgradeResourceIdentityResponse,
  } satisfies Method<UpgradeResourceIdentityRequest, UpgradeResourceIdentityResponse>,
  readResource: {
    path: "/tfplugin6.Provider/ReadResource",
    request: ReadResourceRequest,
    response: ReadResourceResponse,
  } satisfies Method<ReadResourceRequest, ReadResourceResponse>,
  planResourceChange: {
    path: "/tfplugin6.Provider/PlanResourceChange",
    request: PlanResourceChangeRequest,
    response: PlanResourceChangeResponse,
  } satisfies Method<PlanResourceChangeRequest, PlanResourceChangeResponse>,
  applyResourceChange: {
    path: "/tfplugin6.Provider/ApplyResourceChange",
    request: ApplyResourceChangeRequest,
    response: ApplyResourceChangeResponse,
  } satisfies Method<ApplyResourceChangeRequest, ApplyResourceChangeResponse>,
  importResourceState: {
    path: "/tfplugin6.Provider/ImportResourceState",
    request: ImportResourceStateRequest,
    response: ImportResourceStateResponse,
  } satisfies Method<ImportResourceStateRequest, ImportResourceStateResponse>,
  moveResourceState: {
    path: "/tfplugin6.Provider/MoveResourceState",
    request: MoveResourceStateRequest,
    response: MoveResourceStateResponse,
  } satisfies Method<MoveResourceStateRequest, MoveResourceStateResponse>,
  readDataSource: {
    path: "/tfplugin6.Provider/ReadDataSource",
    request: ReadDataSourceRequest,
    response: ReadDataSourceResponse,
  } satisfies Method<ReadDataSourceRequest, ReadDataSourceResponse>,
  validateEphemeralResourceConfig: {
    path: "/tfplugin6.Provider/ValidateEphemeralResourceConfig",
    request: ValidateEphemeralResourceConfigRequest,
    response: ValidateEphemeralResourceConfigResponse,
  } satisfies Method<ValidateEphemeralResourceConfigRequest, ValidateEphemeralResourceConfigResponse>,
  openEphemeralResource: {
    path: "/tfplugin6.Provider/OpenEphemeralResource",
    request: OpenEphemeralResourceRequest,
    response: OpenEphemeralResourceResponse,
  } satisfies Method<OpenEphemeralResourceRequest, OpenEphemeralResourceResponse>,
  renewEphemeralResource: {
    path: "/tfplugin6.Provider/RenewEphemeralResource",
    request: RenewEphemeralResourceRequest,
    response: RenewEphemeralResourceResponse,
  } satisfies Method<RenewEphemeralResourceRequest, RenewEphemeralResourceResponse>,
  closeEphemeralResource: {
    path: "/tfplugin6.Provider/CloseEphemeralResource",
    request: CloseEphemeralResourceRequest,
    response: CloseEphemeralResourceResponse,
  } satisfies Method<CloseEphemeralResourceRequest, CloseEphemeralResourceResponse>,
};
