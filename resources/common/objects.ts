import {
  type Backend,
  birthplaceOf,
  formatObjectId,
  HalfMadeError,
  type ObjectId,
  parseObjectId,
  tryParseObjectId,
  whereIs,
} from "../../src/backend/index.ts";
import {
  type AttributePath,
  isStorageError,
  type JsonValue,
  type ObjectRecord,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
} from "../../src/contract/index.ts";
import {
  type HookContext,
  type ImportRequest,
  isUnknown,
  PartialStateError,
  type PrivateData,
  UNKNOWN,
  type Unknowable,
  type Value,
  type Values,
} from "../schema/index.ts";

/** The backend and UUID that a state's `id` names. @throws StorageError `InvalidInput` */
export function locate(
  context: HookContext,
  id: string,
  attribute: string | AttributePath,
): { readonly backend: Backend; readonly uuid: string } {
  const parsed = parseObjectId(id, attribute);
  const path = typeof attribute === "string" ? [attribute] : attribute;
  return { backend: context.fleet.backend(parsed.backend, path), uuid: parsed.uuid };
}

/** The same for a volume's id, which names the backend that it was made on: the one that it is on now. */
export async function locateVolume(
  context: HookContext,
  id: string,
  attribute: string | AttributePath,
): Promise<{ readonly backend: Backend; readonly uuid: string }> {
  const { backend: name, uuid } = parseObjectId(id, attribute);
  const { backends } = context.fleet;
  const named = backends.find((backend) => backend.answersTo(name)) ?? null;
  try {
    const { found } = await whereIs(context.fleet, named, uuid);
    if (found !== undefined) return { backend: found.backend, uuid };
  } catch (error) {
    // Whoever goes on to use the backend meets the same.
    if (!isStorageError(error)) throw error;
  }
  return locate(context, id, attribute);
}

/** The id of a volume, wherever it is now. */
export function volumeIdOf(record: Pick<VolumeRecord, "id" | "settings">, backend: Backend): string {
  return formatObjectId({ backend: birthplaceOf(record) ?? backend.name, uuid: record.id });
}

/** The id of a snapshot's volume. */
export function volumeIdOfSnapshot(record: SnapshotRecord, backend: Backend): Promise<string> {
  return volumeIdOn(backend, record.volumeId);
}

/** The id of the volume of that UUID, which was on the backend when something was made from it, and may be gone. */
export async function volumeIdOn(backend: Backend, uuid: string): Promise<string> {
  const volume = (await backend.listing()).volumes.get(uuid);
  return volumeIdOf({ id: uuid, settings: volume?.settings ?? {} }, backend);
}

/** Whether two ids mean one object: a backend that was renamed answers to its old name as well. */
export function isSameObject(context: HookContext | null, a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [tryParseObjectId(a), tryParseObjectId(b)];
  if (context === null || one === undefined || one.uuid !== other?.uuid) return false;
  return context.fleet.backends.some(
    (backend) => backend.answersTo(one.backend) && backend.answersTo(other.backend),
  );
}

/** What of `replace` stands when a `volume_id` that says the same in other words is no change of volume. */
export function replacing(
  context: HookContext | null,
  prior: { readonly volume_id: string } | null,
  planned: { readonly volume_id: Unknowable<string> },
  replace: readonly AttributePath[],
): readonly AttributePath[] {
  const { volume_id: volumeId } = planned;
  if (prior === null || isUnknown(volumeId) || !isSameObject(context, prior.volume_id, volumeId))
    return replace;
  return replace.filter(([name]) => name !== "volume_id");
}

/** Splits `fast#pool`. */
export function parseBackendReference(reference: string): {
  readonly name: string;
  readonly pool: string | null;
} {
  const separator = reference.indexOf("#");
  return separator === -1
    ? { name: reference, pool: null }
    : { name: reference.slice(0, separator), pool: reference.slice(separator + 1) };
}

/** The backend of an object and what to look for there: its UUID or its name. */
export function parseImport(
  context: HookContext,
  kind: string,
  request: ImportRequest,
): { readonly backend: Backend; readonly reference: { readonly uuid: string } | { readonly name: string } } {
  const parsed = "identity" in request ? fromIdentity(request.identity) : fromText(request.id);
  if (parsed === undefined) {
    throw new StorageError({
      kind: "InvalidInput",
      action: `import the ${kind}`,
      reason: `Its id must be "<backend>/<uuid>" or "<backend>/<name>"${"id" in request ? `, not "${request.id}"` : ""}`,
      ...(kind === "volume" && {
        nextStep:
          'What others made is imported by "<backend>/existing:" and what the technology calls it, as "fast/existing:vg0/oldlv"',
      }),
    });
  }
  const { backend: name, ...reference } = parsed;
  return { backend: context.fleet.backend(name, []), reference };
}

function fromIdentity(identity: Readonly<Record<string, string>>): ObjectId | undefined {
  return tryParseObjectId(`${identity["backend"] ?? ""}/${identity["uuid"] ?? ""}`);
}

function fromText(text: string): ObjectId | { readonly backend: string; readonly name: string } | undefined {
  const id = tryParseObjectId(text);
  if (id !== undefined) return id;
  const separator = text.indexOf("/");
  const backend = text.slice(0, separator);
  const name = text.slice(separator + 1);
  return separator > 0 && name !== "" && !name.includes("/") ? { backend, name } : undefined;
}

/** The error of an import that found nothing. */
export function nothingToImport(
  backend: Backend,
  kind: "volume" | "snapshot" | "attachment",
  reference: { readonly uuid: string } | { readonly name: string },
): StorageError {
  return new StorageError({
    kind:
      kind === "volume" ? "VolumeNotFound" : kind === "snapshot" ? "SnapshotNotFound" : "AttachmentNotFound",
    action: `import ${kind} "${"uuid" in reference ? reference.uuid : reference.name}"`,
    reason: `There is no such ${kind} of owner "${backend.owner}" on this backend`,
    nextStep: "Check the backend, the name or UUID, and the provider's owner",
    backend: backend.name,
    host: backend.host.host,
  });
}

/** The identity of an object on its backend: what `<backend>/<uuid>` consists of. */
export const objectIdentity = {
  backend: {
    description: "The backend's name.",
    of: (state: { readonly id: string }) => parseObjectId(state.id, "id").backend,
  },
  uuid: {
    description: "The object's UUID on the host.",
    of: (state: { readonly id: string }) => parseObjectId(state.id, "id").uuid,
  },
} as const;

/**
 * Answers a read. Where the backend is configured with `unreachable = "warn"` and its host does not answer, the prior
 * state stands, with a warning.
 */
export async function readTolerantly<S>(
  context: HookContext,
  backend: Backend,
  prior: S,
  read: () => Promise<S | null>,
): Promise<S | null> {
  try {
    return await read();
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    context.warn({
      summary: `Backend "${backend.name}" is unreachable; what state says of it was not checked`,
      detail: error.detail,
    });
    return prior;
  }
}

/** Says that what state holds has no data, and is there to be deleted only: it is not finished, or half deleted. */
export function warnIfUnfinished(
  context: HookContext,
  kind: "volume" | "snapshot",
  record: ObjectRecord,
): void {
  if (record.phase === "deleting") {
    context.warn({
      summary: `The ${kind} "${record.name}" is half deleted`,
      detail:
        "Its deletion was interrupted while its data was being cleared. Destroy it, or apply to have it replaced: what was begun is then finished.",
    });
  }
  if (record.phase !== "creating") return;
  context.warn({
    summary: `The ${kind} "${record.name}" is not finished`,
    detail: "Its creation was interrupted, and it holds no usable data. Destroy it, or have it replaced.",
  });
}

/**
 * Whether the deletion of what state holds was begun and broken off: its data is gone, and all that a plan can do is to have
 * that finished and another object made. As the run's listing says.
 */
export async function isBeingDeleted(
  backend: Backend,
  kind: "volume" | "snapshot",
  id: string,
): Promise<boolean> {
  try {
    const { volumes, snapshots } = await backend.listing();
    const records: ReadonlyMap<string, ObjectRecord> = kind === "volume" ? volumes : snapshots;
    return records.get(parseObjectId(id, "id").uuid)?.phase === "deleting";
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    return false;
  }
}

/** There is nothing to take over from what is being deleted. */
export function refuseDeleted(backend: Backend, kind: "volume" | "snapshot", record: ObjectRecord): void {
  if (record.phase !== "deleting") return;
  throw new StorageError({
    kind: kind === "volume" ? "VolumeIsBusy" : "SnapshotIsBusy",
    action: `import ${kind} "${record.name}" (${record.id})`,
    reason: "It is being deleted: its data is cleared, or has been",
    nextStep: "Run the destroy that began it again, so that it is finished",
    backend: backend.name,
    host: backend.host.host,
  });
}

/** Whether `error` is an unreachable host that the configuration says not to stop for. */
export function toleratesAbsence(backend: Backend, error: unknown): error is StorageError {
  return backend.settings.unreachable === "warn" && isStorageError(error, "BackendUnreachable");
}

/**
 * Part of planning a creation: what it replaces must not look like an unfinished create. The engines plan the creation
 * again at apply, where nothing tells of the replaced object any more; the create could then take it up as its own, and
 * the engine would destroy it afterwards.
 */
export async function acknowledgeReplaced(backend: Backend, privateData: PrivateData): Promise<void> {
  if (typeof privateData["replaces"] === "string") await backend.acknowledged();
}

/** What the backend's storage calls itself, once something has been made on it. */
export async function identityOf(backend: Backend): Promise<string> {
  // Not listed again: whoever has just made something there must not fail now for what became of the host since.
  const identity = backend.lastIdentity ?? (await backend.listing()).identity;
  if (identity !== null) return identity;
  throw new StorageError({
    kind: "VolumeBackendError",
    action: `read the identity of backend "${backend.name}"`,
    reason: "The storage there has none, though it holds objects of ours",
    backend: backend.name,
    host: backend.host.host,
  });
}

/** Turns a half-made object into the partial state that engines keep, so that it is removed and made anew. */
export async function keepingPartialState<T>(
  backend: Backend,
  planned: object,
  known: (uuid: string) => Values,
  create: () => Promise<T>,
): Promise<T> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof HalfMadeError)) throw error;
    const state: Values = {
      ...(planned as Values),
      backend_identity: backend.lastIdentity,
      ...known(error.uuid),
    };
    throw new PartialStateError(withoutUnknowns(state), error.cause);
  }
}

/** What is unknown in the plan of something half-made is null in its state. */
function withoutUnknowns(values: Values): Values {
  const strip = (value: Value): Value => {
    if (value === UNKNOWN) return null;
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(strip);
    return withoutUnknowns(value as Values);
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, strip(value)]));
}

/** The part of `settings` that differs from the defaults; kept on the host so that an import comes out whole. */
export function withoutDefaults<T extends { readonly [name: string]: unknown }>(
  settings: T,
  defaults: Readonly<Record<string, unknown>>,
): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => value !== null && value !== defaults[name]),
  ) as Readonly<Record<string, JsonValue>>;
}
