import type { Fleet, PlannedSpace } from "../../src/backend/index.ts";
import type { AttributePath, JsonValue } from "../../src/contract/index.ts";
import type { AttributeSet, Config, Planned, State } from "./attribute.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Values } from "./value.ts";

/** What every hook is given. */
export interface HookContext {
  /** The configured backends of this run. */
  readonly fleet: Fleet;
  /** Aborted when the user interrupts or the operation's timeout passes. */
  readonly signal: AbortSignal;
  /**
   * `<backend>/<name>` of the creations planned in this run so far: two blocks of one name are refused. Only where the
   * engine plans each creation exactly once a run.
   */
  readonly plannedNames?: Set<string>;
  /** The space of all backends as the plans of this run leave it. Where there is none, nothing is promised at plan. */
  readonly plannedSpace?: PlannedSpace;
  /** Shows the user a warning. */
  warn(diagnostic: Omit<Diagnostic, "severity">): void;
}

/**
 * What a plan remembers for the apply that carries it out, invisible to the user. Terraform keeps it (except that
 * OpenTofu and Terraform plan creations anew at apply, without it); Pulumi has no place for it. Never rely on it
 * for correctness, but for `imported`: from an import to the end of the first apply after it that changes anything, both
 * engines give that to plans and updates.
 */
export type PrivateData = Readonly<Record<string, JsonValue>>;

/** Of an object that was imported and has not been changed since: what it is to become was never its configuration before. */
export const importedPrivate: PrivateData = { imported: true };

export function isImported(privateData: PrivateData): boolean {
  return privateData["imported"] === true;
}

export interface PlanRequest<A extends AttributeSet> {
  readonly config: Config<A>;
  /** Null when the resource is to be created. */
  readonly prior: State<A> | null;
  /** After defaults and computed values; what the plan will be unless the hook changes it. */
  readonly planned: Planned<A>;
  /** Attributes declared `replaces` that change. */
  readonly replace: readonly AttributePath[];
  readonly private: PrivateData;
}

export interface PlanResponse<A extends AttributeSet> {
  readonly planned: Planned<A>;
  /** All attributes that force a new object. */
  readonly replace: readonly AttributePath[];
  readonly diagnostics?: readonly Diagnostic[];
  readonly private?: PrivateData;
  /** What unknown attributes would come out as if the plan were carried out now; for show, decided at apply. */
  readonly expected?: Values;
}

export type ImportRequest =
  | { readonly id: string }
  /** The resource identity, by attribute name. */
  | { readonly identity: Readonly<Record<string, string>> };

/** A resource as its module declares it. Hook arguments are typed from `attributes`. */
export interface ResourceDeclaration<A extends AttributeSet> {
  /** `volume`: `breezeblock_volume` in Terraform, `Volume` in Pulumi. */
  readonly name: string;
  readonly description: string;
  /** Of the state's shape; a state of a lower version goes through `upgrade`. */
  readonly version: number;
  readonly attributes: A;
  /** The attributes that together name one object for ever, each a string; a subset of `attributes` by name and value. */
  readonly identity: Readonly<Record<string, { readonly description: string; of(state: State<A>): string }>>;
  /** Timeouts in milliseconds for when the `timeouts` attribute does not say. */
  readonly timeouts: Readonly<Record<"create" | "read" | "update" | "delete", number>>;

  /** Cross-field checks of a configuration, before any plan; must hold for every way the unknowns may turn out. */
  validate?(config: Config<A>): readonly Diagnostic[];
  /** The resource's own part of a plan for a create or a change. `context` is null while provider settings are unknown. */
  plan(context: HookContext | null, request: PlanRequest<A>): Promise<PlanResponse<A>>;
  /** Refuses a destroy at plan, by throwing, where that can be known. */
  planDelete?(context: HookContext | null, prior: State<A>): Promise<void>;
  /** Null only when a healthy backend of the expected identity says that it is not there. Otherwise throws. */
  read(context: HookContext, state: State<A>): Promise<State<A> | null>;
  /** May throw `PartialStateError` when something was made and could not be finished. */
  create(context: HookContext, planned: Planned<A>, privateData: PrivateData): Promise<State<A>>;
  update(
    context: HookContext,
    prior: State<A>,
    planned: Planned<A>,
    privateData: PrivateData,
  ): Promise<State<A>>;
  /** Already gone is success. */
  delete(context: HookContext, state: State<A>): Promise<void>;
  /** Why `import` always refuses, as a sentence without its full stop; left out where it does not. */
  readonly notImported?: string;
  /** Never changes anything on the host. */
  import(context: HookContext, request: ImportRequest): Promise<State<A>>;
  /** Brings a stored state of an older version to this one. */
  upgrade?(version: number, state: StoredState): StoredState;
  /** Tells backends of an object that state holds, before anything else happens in the run. No I/O. */
  noteState?(fleet: Fleet, state: State<A>): void;
}

/** A resource as providers see it: every hook is there, and values are `Values` in place of the precise types. */
export interface Resource {
  readonly name: string;
  readonly description: string;
  readonly version: number;
  readonly attributes: AttributeSet;
  /** Identity attributes, by name, with their descriptions. */
  readonly identity: Readonly<Record<string, string>>;
  /** Timeouts in milliseconds for when the `timeouts` attribute does not say. */
  readonly timeouts: Readonly<Record<"create" | "read" | "update" | "delete", number>>;
  /** Why `import` always refuses, as a sentence without its full stop. */
  readonly notImported?: string | undefined;

  validate(config: Values): readonly Diagnostic[];
  plan(context: HookContext | null, request: ErasedPlanRequest): Promise<ErasedPlanResponse>;
  planDelete(context: HookContext | null, prior: Values): Promise<void>;
  read(context: HookContext, state: Values): Promise<Values | null>;
  create(context: HookContext, planned: Values, privateData: PrivateData): Promise<Values>;
  update(context: HookContext, prior: Values, planned: Values, privateData: PrivateData): Promise<Values>;
  delete(context: HookContext, state: Values): Promise<void>;
  import(context: HookContext, request: ImportRequest): Promise<Values>;
  identityOf(state: Values): Readonly<Record<string, string>>;
  upgrade(version: number, state: StoredState): StoredState;
  noteState(fleet: Fleet, state: Values): void;
}

/** A state as an engine stored it, possibly by another version of the provider. */
export type StoredState = { readonly [attribute: string]: JsonValue };

export interface ErasedPlanRequest {
  readonly config: Values;
  readonly prior: Values | null;
  readonly planned: Values;
  readonly replace: readonly AttributePath[];
  readonly private: PrivateData;
}

export interface ErasedPlanResponse {
  readonly planned: Values;
  readonly replace: readonly AttributePath[];
  readonly diagnostics?: readonly Diagnostic[];
  readonly private?: PrivateData;
  /** What unknown attributes would come out as if the plan were carried out now; for show, decided at apply. */
  readonly expected?: Values;
}

/** A data source as its module declares it. */
export interface DataSourceDeclaration<A extends AttributeSet> {
  readonly name: string;
  readonly description: string;
  readonly attributes: A;
  readonly readTimeout: number;
  validate?(config: Config<A>): readonly Diagnostic[];
  read(context: HookContext, config: State<A>): Promise<State<A>>;
}

export interface DataSource {
  readonly name: string;
  readonly description: string;
  readonly attributes: AttributeSet;
  /** In milliseconds, for when the `timeouts` attribute does not say. */
  readonly readTimeout: number;
  validate(config: Values): readonly Diagnostic[];
  read(context: HookContext, config: Values): Promise<Values>;
}

/**
 * What is read for the time of a run and kept nowhere: neither in a plan nor in a state. Declared as a data source is.
 */
export interface EphemeralDeclaration<A extends AttributeSet> {
  readonly name: string;
  readonly description: string;
  readonly attributes: A;
  /** In milliseconds, for when the `timeouts` attribute does not say. */
  readonly readTimeout: number;
  validate?(config: Config<A>): readonly Diagnostic[];
  /** Changes nothing on any host: engines call it in plans, too. */
  open(context: HookContext, config: State<A>): Promise<State<A>>;
}

export interface Ephemeral {
  readonly name: string;
  readonly description: string;
  readonly attributes: AttributeSet;
  /** In milliseconds, for when the `timeouts` attribute does not say. */
  readonly readTimeout: number;
  validate(config: Values): readonly Diagnostic[];
  open(context: HookContext, config: Values): Promise<Values>;
}

/** A create or update that stopped half-way: `state` is what there is now, for the engine to keep. */
export class PartialStateError extends Error {
  readonly state: Values;

  constructor(state: Values, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "PartialStateError";
    this.state = state;
  }
}
