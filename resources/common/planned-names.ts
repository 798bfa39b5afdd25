import type { Backend } from "../../src/backend/index.ts";
import { type ObjectRecord, StorageError } from "../../src/contract/index.ts";
import type { HookContext, PrivateData } from "../schema/index.ts";
import { toleratesAbsence } from "./objects.ts";

type Kind = "volume" | "snapshot";

/**
 * Part of planning a creation: refuses a name that another resource of the run has or gets, and sees to it that a
 * namesake in state is acknowledged on the host. At apply nothing tells of that namesake, and it must not look like an
 * unfinished create, which this one could take up as its own.
 *
 * @param heldByReplaced more names that what it replaces gives up
 */
export async function claimForCreation(
  context: HookContext,
  backend: Backend,
  kind: Kind,
  name: string,
  records: ReadonlyMap<string, ObjectRecord>,
  privateData: PrivateData,
  heldByReplaced: readonly string[] = [],
): Promise<void> {
  const replaced = privateData["replaces"];
  const isReplacement =
    heldByReplaced.includes(name) || (typeof replaced === "string" && records.get(replaced)?.name === name);
  const names = context.plannedNames;
  if (names?.has(creation(backend, kind, name)) === true) throw twice(backend, kind, name);
  if (names?.has(keeping(backend, kind, name)) === true && !isReplacement) throw twice(backend, kind, name);
  names?.add(creation(backend, kind, name));
  const namesakes = [...records.values()].filter(
    (record) => record.name === name && record.owner === backend.owner && record.phase === "unacknowledged",
  );
  if (namesakes.some(({ id }) => backend.known.has(id))) await backend.acknowledged();
}

/** The same for an object in state, called `heldName`, that is to be called `name`; null for one that goes. */
export async function claimForHeld(
  context: HookContext,
  backend: Backend,
  kind: Kind,
  heldName: string,
  name: string | null,
): Promise<void> {
  const names = context.plannedNames;
  if (name !== null) {
    if (names?.has(creation(backend, kind, name)) === true) throw twice(backend, kind, name);
    names?.add(keeping(backend, kind, name));
  }
  try {
    await backend.checkIdentity("other");
    if (names?.has(creation(backend, kind, heldName)) === true) await backend.acknowledged();
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

function creation(backend: Backend, kind: Kind, name: string): string {
  return `create ${kind} ${backend.name}/${name}`;
}

function keeping(backend: Backend, kind: Kind, name: string): string {
  return `keep ${kind} ${backend.name}/${name}`;
}

function twice(backend: Backend, kind: Kind, name: string): StorageError {
  return new StorageError({
    kind: "AlreadyExists",
    action: `create ${kind} "${name}" twice`,
    reason: "Another resource of this configuration has the same name on the same backend",
    nextStep: `Give each ${kind} of a backend a name of its own`,
    backend: backend.name,
    attribute: ["name"],
  });
}

/** An attachment that is made or stays, as a plan has it. */
export interface PlannedAttachment {
  readonly volumeId: string;
  /** Its id, or of a creation what it replaces; undefined where there is neither. */
  readonly held: string | undefined;
  /** It mounts a file system for writing. */
  readonly isSole: boolean;
}

/**
 * Part of planning an attachment: refuses two in one configuration of which one mounts the volume for writing, which the
 * host would refuse at apply only.
 */
export function claimForAttachment(
  context: HookContext,
  backend: Backend,
  { volumeId, held, isSole }: PlannedAttachment,
): void {
  const names = context.plannedNames;
  const claims = (kind: "any" | "sole") => `attach ${kind} ${backend.name}/${volumeId} `;
  const begin = claims(isSole ? "any" : "sole");
  // A replacement is planned in the place of what it replaces.
  const others = [...(names ?? [])].filter((claim) => claim.startsWith(begin) && claim !== `${begin}${held}`);
  if (others.length > 0) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action: `attach volume ${volumeId} twice`,
      reason:
        "One attachment of this configuration mounts a file system for writing, which only one machine at a time can use",
      nextStep: "Give the volume one attachment, or all of them mode ro",
      backend: backend.name,
      attribute: ["volume_id"],
    });
  }
  const by = held ?? `new ${names?.size ?? 0}`;
  names?.add(`${claims("any")}${by}`);
  if (isSole) names?.add(`${claims("sole")}${by}`);
}

/**
 * Part of planning to put a volume back: refuses that where the same run removes the snapshot, which would go first and take
 * the content with it.
 */
export function claimForRestore(context: HookContext, backend: Backend, snapshotUuid: string): void {
  const names = context.plannedNames;
  if (names?.has(removing(backend, snapshotUuid)) === true) throw restoredAndRemoved(backend, snapshotUuid);
  names?.add(restoring(backend, snapshotUuid));
}

/** The same for planning to remove, or to replace, a snapshot. */
export function claimForSnapshotDeletion(context: HookContext, backend: Backend, snapshotUuid: string): void {
  const names = context.plannedNames;
  if (names?.has(restoring(backend, snapshotUuid)) === true) throw restoredAndRemoved(backend, snapshotUuid);
  names?.add(removing(backend, snapshotUuid));
}

function restoring(backend: Backend, snapshotUuid: string): string {
  return `restore from ${backend.name}/${snapshotUuid}`;
}

function removing(backend: Backend, snapshotUuid: string): string {
  return `remove snapshot ${backend.name}/${snapshotUuid}`;
}

function restoredAndRemoved(backend: Backend, snapshotUuid: string): StorageError {
  return new StorageError({
    kind: "SnapshotIsBusy",
    action: `put a volume back to snapshot ${snapshotUuid} and delete that snapshot at once`,
    reason: "The snapshot would be deleted first, and its content lost",
    nextStep: "Keep the snapshot's resource and apply; take it away afterwards",
    backend: backend.name,
  });
}
