import { type Backend, hasName, requireOwn } from "../../src/backend/index.ts";
import { type ObjectRecord, StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import { locate, locateVolume } from "../common/objects.ts";
import { type Diagnostic, errorAt, type HookContext, type Value } from "../schema/index.ts";

/** How a data source names one object: `id`, or `backend` and `name`. */
export interface Reference {
  readonly id: string | null;
  readonly backend: string | null;
  readonly name: string | null;
}

/** Checks that exactly one way of naming the object is used; unknowns count as written. */
export function checkReference(config: { readonly [K in keyof Reference]: Value }): Diagnostic[] {
  const byName = config.backend !== null && config.name !== null;
  const partly = config.backend !== null || config.name !== null;
  if (config.id !== null && partly) {
    return [errorAt(["id"], "Conflicting id", "Give either id, or backend and name.")];
  }
  if (config.id === null && !byName) {
    return [errorAt(["id"], "Missing id", "Give either id, or backend and name.")];
  }
  return [];
}

/** The object that `reference` names, from the run's listing. @throws StorageError when there is none of this owner's */
export async function lookUp<R extends ObjectRecord>(
  context: HookContext,
  kind: "volume" | "snapshot",
  reference: Reference,
  records: (backend: Backend) => Promise<ReadonlyMap<string, R>>,
): Promise<{ readonly backend: Backend; readonly record: R }> {
  const { id, name } = reference;
  const located =
    id === null
      ? { backend: context.fleet.backend(reference.backend ?? "", ["backend"]), uuid: undefined }
      : await (kind === "volume" ? locateVolume : locate)(context, id, "id");
  const { backend, uuid } = located;
  const candidates = await records(backend);
  const record =
    uuid === undefined
      ? [...candidates.values()].find((candidate) => name !== null && hasName(backend, candidate, name))
      : candidates.get(uuid);
  if (record === undefined) {
    throw new StorageError({
      kind: kind === "volume" ? "VolumeNotFound" : "SnapshotNotFound",
      action: `find ${kind} "${id ?? name}"`,
      reason: `There is no such ${kind} of owner "${backend.owner}"`,
      backend: backend.name,
      host: backend.host.host,
      attribute: [id === null ? "name" : "id"],
    });
  }
  requireOwn(backend, kind, record);
  return { backend, record };
}

/** Where an object stands for its users: whether its state has been refreshed since is no concern of theirs, and no drift. */
export function statusOf({
  phase,
  restoring,
}: ObjectRecord & Pick<VolumeRecord, "restoring">):
  | "creating"
  | "available"
  | "restoring"
  | "retained"
  | "deleting" {
  if (restoring !== undefined) return "restoring";
  return phase === "unacknowledged" || phase === "acknowledged" ? "available" : phase;
}
