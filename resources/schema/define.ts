import { isStorageError, StorageError } from "../../src/contract/index.ts";
import type { AttributeSet } from "./attribute.ts";
import {
  type DataSource,
  type DataSourceDeclaration,
  type Ephemeral,
  type EphemeralDeclaration,
  type HookContext,
  PartialStateError,
  type Resource,
  type ResourceDeclaration,
} from "./resource.ts";
import { type Operation, timeoutOf } from "./timeouts.ts";
import { isWhollyKnown, type Values } from "./value.ts";

/**
 * Turns a precisely typed declaration into what providers work with. This is the one place where the precise types are
 * given up: providers check every value against the same attributes before it comes here.
 */
export function defineResource<const A extends AttributeSet>(declaration: ResourceDeclaration<A>): Resource {
  const hooks = declaration as unknown as ResourceDeclaration<AttributeSet>;
  const limited = <T>(
    operation: Operation,
    context: HookContext,
    values: Values,
    run: (context: HookContext) => Promise<T>,
  ): Promise<T> =>
    withTimeout(
      declaration.name,
      operation,
      context,
      timeoutOf(values, operation, declaration.timeouts[operation]),
      run,
    );
  return {
    name: declaration.name,
    description: declaration.description,
    version: declaration.version,
    attributes: declaration.attributes,
    identity: Object.fromEntries(
      Object.entries(declaration.identity).map(([name, part]) => [name, part.description]),
    ),
    timeouts: declaration.timeouts,
    notImported: declaration.notImported,
    validate: (config) => hooks.validate?.(config) ?? [],
    plan: (context, request) =>
      hooks.plan(context, request as Parameters<typeof hooks.plan>[1]) as ReturnType<Resource["plan"]>,
    planDelete: async (context, prior) => hooks.planDelete?.(context, prior),
    read: (context, state) =>
      limited("read", context, state, (inner) => hooks.read(inner, state) as Promise<Values | null>),
    create: (context, planned, privateData) =>
      limited(
        "create",
        context,
        planned,
        (inner) => hooks.create(inner, planned, privateData) as Promise<Values>,
      ),
    update: (context, prior, planned, privateData) =>
      limited(
        "update",
        context,
        planned,
        (inner) => hooks.update(inner, prior, planned, privateData) as Promise<Values>,
      ),
    delete: (context, state) => limited("delete", context, state, (inner) => hooks.delete(inner, state)),
    import: (context, request) =>
      limited("read", context, {}, (inner) => hooks.import(inner, request) as Promise<Values>),
    identityOf: (state) =>
      Object.fromEntries(Object.entries(hooks.identity).map(([name, part]) => [name, part.of(state)])),
    upgrade: (version, state) => hooks.upgrade?.(version, state) ?? state,
    noteState: (fleet, state) => {
      if (isWhollyKnown(state)) hooks.noteState?.(fleet, state);
    },
  };
}

export function defineDataSource<const A extends AttributeSet>(
  declaration: DataSourceDeclaration<A>,
): DataSource {
  const hooks = declaration as unknown as DataSourceDeclaration<AttributeSet>;
  return {
    name: declaration.name,
    description: declaration.description,
    attributes: declaration.attributes,
    readTimeout: declaration.readTimeout,
    validate: (config) => hooks.validate?.(config) ?? [],
    read: (context, config) =>
      withTimeout(
        declaration.name,
        "read",
        context,
        timeoutOf(config, "read", declaration.readTimeout),
        (inner) => hooks.read(inner, config) as Promise<Values>,
      ),
  };
}

export function defineEphemeral<const A extends AttributeSet>(
  declaration: EphemeralDeclaration<A>,
): Ephemeral {
  const hooks = declaration as unknown as EphemeralDeclaration<AttributeSet>;
  return {
    name: declaration.name,
    description: declaration.description,
    attributes: declaration.attributes,
    readTimeout: declaration.readTimeout,
    validate: (config) => hooks.validate?.(config) ?? [],
    open: (context, config) =>
      withTimeout(
        declaration.name,
        "read",
        context,
        timeoutOf(config, "read", declaration.readTimeout),
        (inner) => hooks.open(inner, config) as Promise<Values>,
      ),
  };
}

async function withTimeout<T>(
  resource: string,
  operation: Operation,
  context: HookContext,
  limitMs: number,
  run: (context: HookContext) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    return await run({ ...context, signal: AbortSignal.any([context.signal, limit]) });
  } catch (error) {
    if (!limit.aborted || context.signal.aborted) throw error;
    if (error instanceof PartialStateError) throw new PartialStateError(error.state, late(error.cause));
    throw late(error);
  }

  /** `error`, or what it means where the time was up. */
  function late(error: unknown): unknown {
    if (!isStorageError(error, "Cancelled")) return error;
    return new StorageError({
      kind: "OperationInDoubt",
      action: `${operation} the ${resource} within ${limitMs / 1000} s`,
      reason: error.reason,
      nextStep: `Run again to see how far it came, or allow more time with timeouts.${operation}`,
      backend: error.backend,
      host: error.host,
      attribute: ["timeouts", operation],
      cause: error,
    });
  }
}
