import {
  type AttributeSet,
  checkConfig,
  type Diagnostic,
  DiagnosticsError,
  diagnosticsOf,
  type ErasedPlanResponse,
  errorAt,
  fitState,
  type HookContext,
  importedPrivate,
  isConfigurable,
  isWhollyKnown,
  PartialStateError,
  type PrivateData,
  planChange,
  type Resource,
  type StoredState,
  type Values,
  valuesEqual,
} from "../../resources/schema/index.ts";
import { isStorageError, type JsonValue } from "../../src/contract/index.ts";
import {
  type CheckFailure,
  checkFailures,
  describeAll,
  errorsAmong,
  hookError,
  type Scope,
  UnfinishedError,
} from "./messages.ts";
import { camelCase, toDeclaredNames } from "./names.ts";
import type { Session } from "./session.ts";
import {
  isInternalProperty,
  isUnknownProperty,
  type Properties,
  parseProperties,
  toProperties,
  withDefaults,
} from "./values.ts";

/** The input by which a resource takes over an object that exists already: an id as an import takes it. */
const adoptInput = "adopt";

/** In outputs: the version of the state's shape, where it is not 0. */
const versionProperty = "__version";
/** In outputs: true after a create that stopped half-way; the object is replaced, not mended. */
const unfinishedProperty = "__unfinished";
/** In outputs: the inputs that the program gave although it need not; what a refresh needs to tell inputs from outputs. */
const givenProperty = "__given";

/** In inputs: the names of those that `check` has filled in to be shown, and that are decided when the resource is made. */
const expectedProperty = "__expected";

/** The hooks of `pulumi.dynamic.ResourceProvider`, without `configure`. */
export interface DynamicHooks {
  check(olds: Properties, news: Properties): Promise<{ inputs: Properties; failures: CheckFailure[] }>;
  diff(
    id: string,
    olds: Properties,
    news: Properties,
  ): Promise<{ changes: boolean; replaces?: string[]; deleteBeforeReplace?: boolean }>;
  create(inputs: Properties): Promise<{ id: string; outs: Properties }>;
  read(id: string, props: Properties): Promise<{ id: string; props?: Properties; inputs?: Properties }>;
  update(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }>;
  delete(id: string, props: Properties): Promise<void>;
}

/** Serves one resource to Pulumi's dynamic provider launcher. */
export function serveResource(
  resource: Resource,
  session: Session,
  names: ReadonlySet<string>,
): DynamicHooks {
  const { attributes } = resource;
  const scope: Scope = { attributes, names };
  const checked = new Set<string>();
  const plannedNames = new Set<string>();

  /** Runs a hook: first the fleet is told of the old state, and whatever is thrown is put in Pulumi's terms. */
  async function hook<T>(prior: Values | null, run: (context: HookContext) => Promise<T>): Promise<T> {
    try {
      const context = await session.context();
      if (prior !== null) resource.noteState(context.fleet, prior);
      return await run(context);
    } catch (error) {
      throw hookError(scope, error);
    }
  }

  /** For plans whose space counts, and for what is made of them. */
  function counting(context: HookContext): HookContext {
    return { ...context, plannedSpace: session.plannedSpace };
  }

  function stateOf(id: string, outputs: Properties): Values {
    const own = Object.entries(outputs).filter(([name]) => !isInternalProperty(name));
    const stored = toDeclaredNames(attributes, Object.fromEntries(own) as StoredState, []) as StoredState;
    const version = outputs[versionProperty];
    const state = { ...stored, id };
    return fitState(attributes, resource.upgrade(typeof version === "number" ? version : 0, state));
  }

  function outputsOf(state: Values, inputs: Properties): Record<string, JsonValue> {
    const { id: _, ...outputs } = toProperties(attributes, state);
    const own = givenInputs(inputs);
    const given = Object.entries(attributes)
      .filter(([, { presence }]) => presence === "optional_computed")
      .map(([name]) => camelCase(name))
      .filter((name) => (own[name] ?? null) !== null);
    return {
      ...outputs,
      ...(resource.version === 0 ? {} : { [versionProperty]: resource.version }),
      ...(given.length === 0 ? {} : { [givenProperty]: given }),
    };
  }

  /** The configuration that checked inputs stand for. */
  function configOf(inputs: Properties): Values {
    const { [adoptInput]: _, ...own } = givenInputs(inputs);
    return parseProperties(attributes, own).values;
  }

  /** A plan without complaints. */
  async function plan(
    context: HookContext,
    config: Values,
    prior: Values | null,
    privateData: PrivateData = {},
  ): Promise<ErasedPlanResponse> {
    const response = await planChange(resource, context, { config, prior, private: privateData });
    const diagnostics = response.diagnostics ?? [];
    if (errorsAmong(diagnostics).length > 0) throw new DiagnosticsError(diagnostics);
    for (const diagnostic of diagnostics) context.warn(diagnostic);
    return response;
  }

  /** What stands against creating this, or against adopting the object that `adopt` names. */
  async function checkCreation(
    context: HookContext,
    config: Values,
    adopt: JsonValue | undefined,
  ): Promise<Values> {
    if (isUnknownProperty(adopt)) return {};
    if (typeof adopt !== "string") return checkNewObject(context, config);
    const found = await adopted(context, adopt);
    const { planned, replace } = await plan(
      context,
      assumingUnchanged(config, found),
      found,
      importedPrivate,
    );
    refuseReplacing(replace);
    // Pulumi itself knows of a creation only.
    const changed = Object.keys(attributes).filter(
      (name) => !valuesEqual(planned[name] ?? null, found[name] ?? null),
    );
    context.warn({
      summary: `${adopt} is adopted, not created`,
      detail: `It exists already. ${changed.length === 0 ? "Nothing of it changes." : `What changes of it: ${changed.map(camelCase).join(", ")}.`}`,
    });
    return {};
  }

  /** What is to be shown of it beside what is written. */
  async function checkNewObject(context: HookContext, config: Values): Promise<Values> {
    const namesBefore = plannedNames.size;
    try {
      const { expected } = await plan({ ...counting(context), plannedNames }, config, null);
      return expected ?? {};
    } catch (error) {
      // For a replacement that the user asks for (`--replace`) Pulumi sends neither old inputs nor a diff: what has the name
      // on the host may be the very object that is deleted before. If it is not, the creation is refused in time.
      const onlyOnHost = plannedNames.size > namesBefore;
      if (!isStorageError(error, "AlreadyExists") || !onlyOnHost) throw error;
      context.warn({
        summary: error.summary,
        detail: `Unless this is what is being replaced: ${error.detail}`,
      });
      return {};
    }
  }

  async function adopted(context: HookContext, id: string): Promise<Values> {
    try {
      return await resource.import(context, { id });
    } catch (error) {
      // The import knows nothing of this input's name.
      throw new DiagnosticsError(
        diagnosticsOf(error).map((diagnostic) => ({ ...diagnostic, path: [adoptInput] })),
      );
    }
  }

  /** Saves what was made before an error, so that it is neither lost nor made twice. */
  async function keepingPartialState<T>(
    inputs: Properties,
    extra: Properties,
    run: () => Promise<T>,
  ): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const id = error instanceof PartialStateError ? error.state["id"] : undefined;
      if (!(error instanceof PartialStateError) || typeof id !== "string") throw error;
      // The launcher adds `__provider` to results, but not to what an error carries.
      const properties = { ...outputsOf(error.state, inputs), ...extra, __provider: inputs["__provider"] };
      throw new UnfinishedError(id, properties, describeAll(scope, diagnosticsOf(error.cause)));
    }
  }

  return {
    check: (_olds, news) =>
      hook(null, async (context) => {
        const { [adoptInput]: adopt, ...own } = news;
        const { values: config, diagnostics } = parseProperties(attributes, own);
        const found: Diagnostic[] = [...diagnostics, ...checkAdopt(adopt)];
        if (errorsAmong(found).length === 0) found.push(...checkConfig(attributes, config));
        if (errorsAmong(found).length === 0) found.push(...resource.validate(config));
        const isNew = Object.keys(_olds).every(isInternalProperty);
        let expected: Values = {};
        if (errorsAmong(found).length === 0 && isNew) {
          try {
            expected = await checkCreation(context, config, adopt);
          } catch (error) {
            found.push(...diagnosticsOf(error));
          }
        }
        for (const diagnostic of found) if (diagnostic.severity === "warning") context.warn(diagnostic);
        const failures = checkFailures(scope, found);
        if (failures.length > 0) return { inputs: news, failures };
        const inputs = {
          ...toProperties(attributes, { ...withDefaults(attributes, config), ...expected }),
          ...(Object.keys(expected).length === 0
            ? {}
            : { [expectedProperty]: Object.keys(expected).map(camelCase) }),
          ...(adopt === undefined || adopt === null ? {} : { [adoptInput]: adopt }),
        };
        checked.add(fingerprint(inputs));
        return { inputs, failures };
      }),

    diff: (id, olds, news) => {
      const prior = stateOf(id, olds);
      return hook(prior, async (context) => {
        // A refresh asks for the difference between what it found and the old inputs; only for inputs that this run has
        // checked is the answer a plan, and a refusal in place.
        const isPlan = checked.has(fingerprint(news));
        let response: ErasedPlanResponse;
        try {
          response = await plan(isPlan ? counting(context) : context, configOf(news), prior);
          if (isPlan && response.replace.length > 0) await resource.planDelete(context, prior);
        } catch (error) {
          if (isPlan) throw error;
          return { changes: true };
        }
        const replaces = response.replace.map(([name]) => camelCase(String(name)));
        if (olds[unfinishedProperty] === true) replaces.push(unfinishedProperty);
        return {
          changes: replaces.length > 0 || !valuesEqual(response.planned, prior),
          replaces,
          // Names are unique, so that the old object has to make room for the new one.
          deleteBeforeReplace: true,
        };
      });
    },

    create: (inputs) =>
      hook(null, async (context) => {
        const config = configOf(inputs);
        const adopt = inputs[adoptInput];
        if (typeof adopt === "string") {
          const found = await adopted(context, adopt);
          const { planned, replace } = await plan(context, config, found, importedPrivate);
          refuseReplacing(replace);
          const state = valuesEqual(planned, found)
            ? found
            : await keepingPartialState(inputs, {}, () =>
                resource.update(context, found, planned, importedPrivate),
              );
          return { id: idOf(state), outs: outputsOf(state, inputs) };
        }
        const response = await plan(context, config, null);
        const state = await keepingPartialState(inputs, { [unfinishedProperty]: true }, () =>
          resource.create(counting(context), response.planned, response.private ?? {}),
        );
        return { id: idOf(state), outs: outputsOf(state, inputs) };
      }),

    read: (id, props) => {
      const prior = stateOf(id, props);
      return hook(prior, async (context) => {
        const live = await resource.read(context, prior);
        // An empty id says that the resource is gone.
        if (live === null) return { id: "" };
        const kept = Object.fromEntries(
          [givenProperty, unfinishedProperty]
            .filter((name) => name in props)
            .map((name) => [name, props[name]]),
        );
        const outs = { ...outputsOf(live, {}), ...kept };
        const inputs = changedInputs(attributes, prior, live, props[givenProperty]);
        return { id: idOf(live), props: outs, ...(inputs === undefined ? {} : { inputs }) };
      });
    },

    update: (id, olds, news) => {
      const prior = stateOf(id, olds);
      return hook(prior, async (context) => {
        const { planned, replace } = await plan(context, configOf(news), prior);
        refuseReplacing(replace);
        const state = await keepingPartialState(news, {}, () => resource.update(context, prior, planned, {}));
        return { outs: outputsOf(state, news) };
      });
    },

    delete: (id, props) => {
      const prior = stateOf(id, props);
      return hook(prior, async (context) => {
        await resource.planDelete(context, prior);
        await resource.delete(counting(context), prior);
      });
    },
  };

  function checkAdopt(adopt: JsonValue | undefined): Diagnostic[] {
    if (adopt === undefined || adopt === null || typeof adopt === "string") return [];
    return [
      errorAt([adoptInput], `Invalid ${adoptInput}`, "It must be the id of an existing object, as text."),
    ];
  }

  function refuseReplacing(replace: ErasedPlanResponse["replace"]): void {
    if (replace.length === 0) return;
    throw new DiagnosticsError(
      replace.map((path) =>
        errorAt(
          path,
          `Unable to change this ${resource.name} in place`,
          "What exists differs from what is written in a way that only a new object could follow. Write what exists, or run again to have the replacement planned.",
        ),
      ),
    );
  }
}

/**
 * The inputs that would have led to `live`, where it differs from what was applied; undefined where it does not, so that
 * the engine keeps the inputs it has.
 */
function changedInputs(
  attributes: AttributeSet,
  prior: Values,
  live: Values,
  given: JsonValue | undefined,
): Properties | undefined {
  const names = Object.entries(attributes)
    .filter(
      ([name, attribute]) =>
        isConfigurable(attribute) && (attribute.presence !== "optional_computed" || isGiven(name)),
    )
    .map(([name]) => name);
  function isGiven(name: string): boolean {
    return Array.isArray(given) && given.includes(camelCase(name));
  }
  if (names.every((name) => valuesEqual(prior[name] ?? null, live[name] ?? null))) return undefined;
  return toProperties(attributes, Object.fromEntries(names.map((name) => [name, live[name] ?? null])));
}

/** What the program gave, without what `check` has filled in. */
function givenInputs(inputs: Properties): Properties {
  const { [expectedProperty]: filledIn, ...rest } = inputs;
  if (!Array.isArray(filledIn)) return rest;
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !filledIn.includes(name)));
}

/** `config` as far as it is known, and `found` where it is not: in a preview only what is known can differ. */
function assumingUnchanged(config: Values, found: Values): Values {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      isWhollyKnown(value) ? value : (found[name] ?? null),
    ]),
  );
}

function idOf(state: Values): string {
  const id = state["id"];
  if (typeof id !== "string" || !isWhollyKnown(state))
    throw new Error("the state that a hook returned is incomplete");
  return id;
}

/** The same text for the same inputs, whatever order their names came in. */
function fingerprint(inputs: Properties): string {
  return JSON.stringify(inputs, (key, value: JsonValue) => {
    if (isInternalProperty(key)) return undefined;
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
