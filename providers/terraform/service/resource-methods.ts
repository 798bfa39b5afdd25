import {
  type AttributeSet,
  formatPath,
  type HookContext,
  importedPrivate,
  isImported,
  isWhollyKnown,
  PartialStateError,
  planChange,
  type Values,
} from "../../../resources/schema/index.ts";
import type { AttributePath } from "../../../src/contract/index.ts";
import type { Routes } from "../grpc/server.ts";
import { providerName } from "../names.ts";
import {
  type ApplyResourceChangeRequest,
  type ApplyResourceChangeResponse,
  type ImportResourceStateRequest,
  type ImportResourceStateResponse,
  type MoveResourceStateRequest,
  type MoveResourceStateResponse,
  type PlanResourceChangeRequest,
  type PlanResourceChangeResponse,
  ProviderMethods,
  type ReadResourceRequest,
  type ReadResourceResponse,
  type UpgradeResourceIdentityRequest,
  type UpgradeResourceIdentityResponse,
  type UpgradeResourceStateRequest,
  type UpgradeResourceStateResponse,
} from "../protocol/generated/tfplugin6.ts";
import type { Init } from "../protocol/message.ts";
import type { Encoded } from "../values/codec.ts";
import { type Catalog, type ResourceEntry, wireIdentity } from "./catalog.ts";
import { Findings, wirePath } from "./diagnostics.ts";
import { decodePrivateData, encodePrivateData } from "./private-data.ts";
import type { Run } from "./run.ts";
import { upgradeState, withoutUnknowns } from "./state.ts";

/** The life of managed resources. */
export function routeResourceMethods(routes: Routes, catalog: Catalog, run: Run): void {
  const methods = new ResourceMethods(catalog, run);
  routes.unary(ProviderMethods.upgradeResourceState, (request) => methods.upgradeState(request));
  routes.unary(ProviderMethods.upgradeResourceIdentity, (request) => methods.upgradeIdentity(request));
  routes.unary(ProviderMethods.readResource, (request) => run.operate(() => methods.read(request)));
  routes.unary(ProviderMethods.planResourceChange, (request) => run.operate(() => methods.plan(request)));
  routes.unary(ProviderMethods.applyResourceChange, (request) => run.operate(() => methods.apply(request)));
  routes.unary(ProviderMethods.importResourceState, (request) => run.operate(() => methods.import(request)));
  routes.unary(ProviderMethods.moveResourceState, (request) => methods.move(request));
}

class ResourceMethods {
  readonly #catalog: Catalog;
  readonly #run: Run;

  constructor(catalog: Catalog, run: Run) {
    this.#catalog = catalog;
    this.#run = run;
  }

  async upgradeState(request: UpgradeResourceStateRequest): Promise<Init<UpgradeResourceStateResponse>> {
    const entry = this.#catalog.resource(request.typeName);
    const findings = new Findings(entry.resource.attributes);
    const upgradedState = await findings.attempt(() => {
      const state = upgradeState(entry.resource, request.version, request.rawState);
      this.#note(entry, state);
      return encode(entry, state, findings);
    });
    return { upgradedState, diagnostics: findings.wire() };
  }

  /** Identities have one version so far, so that what is stored is today's. */
  async upgradeIdentity(
    request: UpgradeResourceIdentityRequest,
  ): Promise<Init<UpgradeResourceIdentityResponse>> {
    const { identityCodec } = this.#catalog.resource(request.typeName);
    const findings = new Findings({});
    const upgradedIdentity = await findings.attempt(() => ({
      identityData: identityCodec.encode(
        identityCodec.decode({
          msgpack: new Uint8Array(0),
          json: request.rawIdentity?.json ?? new Uint8Array(0),
        }),
      ).value,
    }));
    return { upgradedIdentity, diagnostics: findings.wire() };
  }

  async read(request: ReadResourceRequest): Promise<Init<ReadResourceResponse>> {
    const entry = this.#catalog.resource(request.typeName);
    const findings = new Findings(entry.resource.attributes);
    const context = this.#run.context((warning) => findings.warn(warning));
    const unchanged = {
      newState: request.currentState,
      newIdentity: request.currentIdentity,
      private: request.private,
    };
    if (context === null) return unchanged;
    const answer = await findings.attempt(async () => {
      const state = entry.codec.decode(request.currentState);
      if (state === null) return unchanged;
      this.#note(entry, state);
      const found = await entry.resource.read(context, state);
      return {
        newState: encode(entry, found, findings),
        newIdentity: wireIdentity(entry, found),
        private: request.private,
      };
    });
    return { ...(answer ?? unchanged), diagnostics: findings.wire() };
  }

  async plan(request: PlanResourceChangeRequest): Promise<Init<PlanResourceChangeResponse>> {
    const entry = this.#catalog.resource(request.typeName);
    const { resource, codec } = entry;
    const findings = new Findings(resource.attributes);
    const context = this.#run.context((warning) => findings.warn(warning));
    const answer = await findings.attempt(async () => {
      const prior = codec.decode(request.priorState);
      const config = codec.decode(request.config);
      if (prior !== null) this.#note(entry, prior);
      if (config === null || codec.decode(request.proposedNewState) === null) {
        if (prior !== null) await resource.planDelete(context, prior);
        return {
          plannedState: codec.encode(null).value,
          plannedPrivate: request.priorPrivate,
          plannedIdentity: wireIdentity(entry, prior),
        };
      }
      const carried = decodePrivateData(request.priorPrivate);
      const planned = await planChange(resource, context, { config, prior, private: carried });
      findings.add(planned.diagnostics ?? []);
      return {
        plannedState: encode(entry, planned.planned, findings),
        requiresReplace: uniquePaths(planned.replace).map((path) => wirePath(resource.attributes, path)),
        // Of a replacement the engine asks again, as of a creation, and hands over what is returned here.
        plannedPrivate: encodePrivateData(planned.private ?? carried),
        plannedIdentity: wireIdentity(entry, prior),
      };
    });
    return { ...(answer ?? { plannedState: request.priorState }), diagnostics: findings.wire() };
  }

  async apply(request: ApplyResourceChangeRequest): Promise<Init<ApplyResourceChangeResponse>> {
    const entry = this.#catalog.resource(request.typeName);
    const findings = new Findings(entry.resource.attributes);
    const context = this.#run.context((warning) => findings.warn(warning));
    if (context === null) {
      findings.fail(
        "Provider settings are not known",
        "Nothing can be changed while a part of the provider's configuration is unknown. Apply first what it is made of, with -target.",
      );
      return { newState: request.priorState, diagnostics: findings.wire() };
    }
    const state = await this.#carryOut(entry, request, context, findings);
    const isStillImported = findings.hasErrors() && isImported(decodePrivateData(request.plannedPrivate));
    return {
      // Whatever happened, what there is now must reach the state.
      newState: encode(entry, state === null ? null : withoutUnknowns(state), findings),
      newIdentity: state !== null && isWhollyKnown(state) ? wireIdentity(entry, state) : undefined,
      private: isStillImported ? encodePrivateData(importedPrivate) : undefined,
      diagnostics: findings.wire(),
    };
  }

  /** What is there afterwards, also when it failed. */
  async #carryOut(
    { resource, codec }: ResourceEntry,
    request: ApplyResourceChangeRequest,
    context: HookContext,
    findings: Findings,
  ): Promise<Values | null> {
    const prior = codec.decode(request.priorState);
    const planned = codec.decode(request.plannedState);
    try {
      if (planned === null) {
        if (prior !== null) await resource.delete(context, prior);
        return null;
      }
      const wanted = withWriteOnly(resource.attributes, planned, codec.decode(request.config));
      return prior === null
        ? await resource.create(context, wanted, decodePrivateData(request.plannedPrivate))
        : await resource.update(context, prior, wanted, decodePrivateData(request.plannedPrivate));
    } catch (error) {
      findings.addError(error instanceof PartialStateError ? error.cause : error);
      return error instanceof PartialStateError ? error.state : prior;
    }
  }

  async import(request: ImportResourceStateRequest): Promise<Init<ImportResourceStateResponse>> {
    const entry = this.#catalog.resource(request.typeName);
    const findings = new Findings({});
    const context = this.#run.context((warning) => findings.warn(warning));
    if (context === null) {
      findings.fail(
        "Provider settings are not known",
        "Nothing can be imported while a part of the provider's configuration is unknown.",
      );
      return { diagnostics: findings.wire() };
    }
    const imported = await findings.attempt(async () => {
      const identity = entry.identityCodec.decode(request.identity?.identityData);
      const state = await entry.resource.import(
        context,
        identity === null ? { id: request.id } : { identity: identity as Readonly<Record<string, string>> },
      );
      return {
        typeName: entry.typeName,
        state: encode(entry, state, findings),
        identity: wireIdentity(entry, state),
        private: encodePrivateData(importedPrivate),
      };
    });
    return { importedResources: imported === undefined ? [] : [imported], diagnostics: findings.wire() };
  }

  /** From the same resource of this provider under another address: a mirror's, a fork's, the other engine's registry. */
  async move(request: MoveResourceStateRequest): Promise<Init<MoveResourceStateResponse>> {
    const entry = this.#catalog.resource(request.targetTypeName);
    const findings = new Findings(entry.resource.attributes);
    if (
      request.sourceTypeName !== request.targetTypeName ||
      request.sourceProviderAddress.split("/").at(-1) !== providerName
    ) {
      findings.fail(
        "Unable to move a resource here",
        `A ${request.targetTypeName} can take over the state of a ${request.targetTypeName} of this provider only, ` +
          `not of ${request.sourceTypeName} of ${request.sourceProviderAddress}. Import it instead.`,
      );
      return { diagnostics: findings.wire() };
    }
    const answer = await findings.attempt(() => {
      const state = upgradeState(entry.resource, request.sourceSchemaVersion, request.sourceState);
      this.#note(entry, state);
      return {
        targetState: encode(entry, state, findings),
        targetPrivate: request.sourcePrivate,
        targetIdentity: wireIdentity(entry, state),
      };
    });
    return { ...answer, diagnostics: findings.wire() };
  }

  #note({ resource }: ResourceEntry, state: Values | null): void {
    const { fleet } = this.#run;
    if (fleet !== null && state !== null) resource.noteState(fleet, state);
  }
}

/** A value of the wrong kind is a bug of a resource, which must not cost the user the rest of the object. */
function encode(entry: ResourceEntry, values: Values | null, findings: Findings): Encoded["value"] {
  const { value, misfits } = entry.codec.encode(values);
  if (misfits.length > 0) {
    findings.fail(
      "Internal error in breezeblock",
      `This is a bug; please report it. ${entry.typeName} came with values of a wrong kind at ${misfits.join(", ")}.`,
    );
  }
  return value;
}

function uniquePaths(paths: readonly AttributePath[]): AttributePath[] {
  const byText = new Map(paths.map((path) => [formatPath(path), path]));
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** Write-only attributes stand in the configuration alone. */
function withWriteOnly(attributes: AttributeSet, planned: Values, config: Values | null): Values {
  const names = Object.keys(attributes).filter((name) => attributes[name]?.writeOnly === true);
  if (names.length === 0 || config === null) return planned;
  return { ...planned, ...Object.fromEntries(names.map((name) => [name, config[name] ?? null])) };
}
