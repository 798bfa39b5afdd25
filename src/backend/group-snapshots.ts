import { randomUUID } from "node:crypto";
import {
  type Inventory,
  type JsonValue,
  type NewSnapshot,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
  type Work,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { carryOutAll, runJob } from "./carry-out.ts";
import { newRun, withRun } from "./creation-runs.ts";
import { GroupTaking } from "./group-taking.ts";
import { settleImages } from "./image-marks.ts";
import { isResumable, isUsable, requireOwn, requireUsable, requireWhole } from "./ownership.ts";
import { removal } from "./removal.ts";
import {
  changeSnapshot,
  requireFreeSnapshotName,
  requireUnusedSnapshot,
  type SnapshotChanges,
} from "./snapshots.ts";
import { attachedTo, requireVolume } from "./volumes.ts";

/** Snapshots of several volumes at one point in time, as the user wants them. */
export interface GroupSnapshotRequest {
  /** Each once. */
  readonly volumeIds: readonly string[];
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly defaultLabels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly settings: Readonly<Record<string, JsonValue>>;
}

/** What the host knows of a group: each of its snapshots says of which group it is. There is no other record. */
export interface GroupSnapshot {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
  /** In the order of the volumes; what is gone is left out. */
  readonly members: readonly [SnapshotRecord, ...SnapshotRecord[]];
  /** How many snapshots it was taken of. */
  readonly count: number;
  /** All of it is there and finished. */
  readonly isWhole: boolean;
}

/** The part of a snapshot's settings that makes it a member. */
interface Membership {
  readonly id: string;
  readonly name: string;
  readonly index: number;
  readonly count: number;
}

const settingName = "group";

/** Every group of an inventory, by id. */
export function groupSnapshotsIn({ snapshots }: Inventory): ReadonlyMap<string, GroupSnapshot> {
  const found = new Map<string, { membership: Membership; record: SnapshotRecord }[]>();
  for (const record of snapshots.values()) {
    const membership = membershipOf(record);
    if (membership === undefined) continue;
    found.set(membership.id, [...(found.get(membership.id) ?? []), { membership, record }]);
  }
  return new Map(
    [...found].flatMap(([id, entries]) => {
      const [first, ...others] = entries.sort((a, b) => a.membership.index - b.membership.index);
      if (first === undefined) return [];
      const members = [first.record, ...others.map(({ record }) => record)] as const;
      const { name, count } = first.membership;
      const isWhole = members.length === count && members.every(isUsable);
      return [[id, { id, name, members, count, isWhole }]];
    }),
  );
}

/** What the snapshot of the volume at that place (from 0) of a group is called. */
export function memberName(groupName: string, index: number): string {
  return `${groupName}-${index + 1}`;
}

/** A group by id, or `undefined` when it is certain that nothing of it is there. Answered from the run's listing. */
export async function findGroupSnapshot(
  backend: Backend,
  id: string,
  identity: string,
  memberIds: readonly string[],
): Promise<GroupSnapshot | undefined> {
  const listing = await backend.listingOf(identity);
  for (const memberId of memberIds) requireWhole(backend, listing, "snapshot", memberId);
  const group = groupSnapshotsIn(listing).get(id);
  for (const member of group?.members ?? []) requireOwn(backend, "snapshot", member);
  return group;
}

/**
 * Takes snapshots of several volumes that are crash-consistent together, or takes over what a killed run of the same
 * intent left whole. What such a run left by halves is of no one point in time: it is removed, and all is taken anew.
 *
 * @throws HalfMadeError with the group's id when something was left on the host that a later delete has to remove
 */
export async function createGroupSnapshot(
  backend: Backend,
  request: GroupSnapshotRequest,
  signal: AbortSignal | undefined,
): Promise<GroupSnapshot> {
  const action = `take group snapshot "${request.name}"`;
  const run = newRun();
  let takenUp: GroupSnapshot | undefined;
  await carryOutAll(backend, { action, signal }, async (locked) => {
    const left = leftOf(backend, request, locked);
    if (left === undefined) return [];
    if (!isSameIntent(left, request)) return left.members.map(({ id }) => removal(backend, "snapshot", id));
    takenUp = await takeUp(backend, left, request, run, locked);
    return [];
  });
  if (takenUp !== undefined) return takenUp;
  const id = randomUUID();
  const asked = request.volumeIds.map((volumeId, index) =>
    newMember(backend, request, { groupId: id, run }, volumeId, index),
  );
  const snapshotIds = asked.map((snapshot) => snapshot.id);
  const taking = new GroupTaking(backend, { action, groupId: id, run, snapshotIds });
  const ends: (() => void)[] = [];
  let isBegun = false;
  try {
    const works = await backend.exclusive(action, signal, async (locked) => {
      const members = asked.map((snapshot) => {
        const volume = requireVolume(backend, snapshot.volumeId, locked, "take a snapshot of");
        requireUsable("take a snapshot of", "volume", volume);
        requireFreeSnapshotName(backend, snapshot.name, locked);
        return { snapshot, volume };
      });
      requireNoWriter(
        action,
        members.map(({ volume }) => volume),
      );
      isBegun = true;
      for (const { snapshot } of members) backend.known.add(snapshot.id);
      // Nobody can begin to write before the last of them is begun: that takes the lock as well.
      const begun: Work<SnapshotRecord>[] = [];
      for (const { snapshot, volume } of members) {
        const work = await backend.driver.createSnapshot(snapshot, volume, locked);
        taking.noteReserved(snapshot.id);
        begun.push(work);
        locked.fresh.keepSnapshot(work.state === "ready" ? work.record : reservation(snapshot, volume));
        if (work.state === "working") ends.push(backend.ownCopies.begin(volume.id));
      }
      return begun;
    });
    const made = works.flatMap((work) => (work.state === "ready" ? [work.record] : []));
    if (made.length === works.length) return asGroup(id, request.name, made);
    await Promise.all(
      works.map((work) => (work.state === "working" ? runJob(backend, work.job, action, signal) : undefined)),
    );
    const records = await backend.exclusive(action, signal, async (locked) => {
      taking.requireOwn(locked);
      const completed: SnapshotRecord[] = [];
      for (const [index, work] of works.entries()) {
        completed.push(
          work.state === "ready"
            ? work.record
            : locked.fresh.keepSnapshot(
                await backend.driver.completeSnapshot(asked[index]?.id ?? "", locked),
              ),
        );
      }
      return completed;
    });
    for (const work of works) {
      if (work.state === "working") await backend.host.forgetJob(work.job).catch(() => undefined);
    }
    return asGroup(id, request.name, records);
  } catch (error) {
    if (!isBegun) throw error;
    throw await taking.afterFailure(error);
  } finally {
    for (const end of ends) end();
  }
}

/** Renames and relabels the snapshots of a group. The group must be there. */
export async function updateGroupSnapshot(
  backend: Backend,
  id: string,
  identity: string,
  changes: GroupChanges,
  signal: AbortSignal | undefined,
): Promise<GroupSnapshot> {
  await backend.listingOf(identity);
  const action = `change group snapshot ${id}`;
  return backend.exclusive(action, signal, async (locked) => {
    const group = groupSnapshotsIn(locked.fresh).get(id);
    if (group === undefined) {
      throw new StorageError({
        kind: "SnapshotNotFound",
        action,
        reason: "There is no such group on this backend",
        nextStep: "Refresh the state; a group that was deleted behind its back is then planned anew",
      });
    }
    return changeMembers(backend, group, changes, locked);
  });
}

type GroupChanges = SnapshotChanges & Pick<GroupSnapshotRequest, "name" | "settings">;

async function changeMembers(
  backend: Backend,
  { id, members, count, isWhole }: GroupSnapshot,
  changes: GroupChanges,
  locked: LockedBackend,
): Promise<GroupSnapshot> {
  const changed: SnapshotRecord[] = [];
  // The first says what the group is called: changed last, it tells a later run that the others are.
  for (const member of [...members].reverse()) {
    const membership = membershipOf(member);
    if (membership === undefined) throw new Error(`snapshot ${member.id} is not in a group any more`);
    const name = memberName(changes.name, membership.index);
    const settings = { ...changes.settings, [settingName]: { ...membership, name: changes.name } };
    const { name: _, ...others } = changes;
    const own = { ...others, settings, ...(name === member.name ? {} : { name }) };
    changed.unshift(await changeSnapshot(backend, member.id, own, locked));
  }
  return { ...asGroup(id, changes.name, changed), count, isWhole };
}

/** Enters this run in a group that another one has left whole, in the holding of the lock that it was found in. */
async function takeUp(
  backend: Backend,
  left: GroupSnapshot,
  { volumeIds: _, ...changes }: GroupSnapshotRequest,
  run: string,
  locked: LockedBackend,
): Promise<GroupSnapshot> {
  for (const { id } of left.members) backend.known.add(id);
  return changeMembers(backend, left, { ...changes, settings: withRun(changes.settings, run) }, locked);
}

/**
 * SNP-2, DEL-3 for all of a group: when one cannot be deleted, none is. Absent is success, given the expected identity.
 *
 * @param memberIds those that state knows of: what is damaged is in no group, and does not count as deleted. None where
 * the group was never finished; what there is of it then holds nothing that could be protected
 * @throws StorageError `VolumeBackendError` where one is damaged
 */
export async function deleteGroupSnapshot(
  backend: Backend,
  id: string,
  identity: string,
  memberIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await backend.listingOf(identity);
  const action = `delete group snapshot ${id}`;
  await carryOutAll(backend, { action, signal }, async (locked) => {
    for (const memberId of memberIds) requireWhole(backend, locked.fresh, "snapshot", memberId);
    const group = groupSnapshotsIn(locked.fresh).get(id);
    const isUnfinished = group?.isWhole === false && memberIds.length === 0;
    for (const member of group?.members ?? []) {
      requireOwn(backend, "snapshot", member);
      if (member.phase === "deleting") continue;
      requireUnusedSnapshot(isUnfinished ? { ...member, deletionProtection: false } : member, locked);
      await settleImages(backend, member, `delete snapshot "${member.name}"`, locked);
    }
    return (group?.members ?? []).map((member) => removal(backend, "snapshot", member.id));
  });
}

/** Crash-consistent together are snapshots of volumes that nobody writes to while they are taken, one after the other. */
function requireNoWriter(action: string, volumes: readonly VolumeRecord[]): void {
  const written = volumes.filter(({ attachments }) => attachments.some(({ mode }) => mode === "rw"));
  const [first] = written;
  if (first === undefined) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: `Volume "${first.name}" is attached for writing to ${attachedTo(first)}, and what is written between two snapshots would be in one and not in the other`,
    nextStep:
      "Destroy the attachment first, or let it be made after the group snapshot (depends_on, dependsOn); attachments in mode ro may stay",
  });
}

/** What a killed run left of that name: whole and the same, or by halves. @throws StorageError when another has the name */
function leftOf(
  backend: Backend,
  request: GroupSnapshotRequest,
  locked: LockedBackend,
): GroupSnapshot | undefined {
  for (const group of groupSnapshotsIn(locked.fresh).values()) {
    const isOwn = group.members.every(({ owner }) => owner === backend.owner);
    if (!isOwn || group.name !== request.name) continue;
    const isLeft = group.members.every(
      (member) => member.phase === "deleting" || isResumable(backend, member),
    );
    if (isLeft && (!group.isWhole || isSameIntent(group, request))) return group;
    throw new StorageError({
      kind: "AlreadyExists",
      action: `take group snapshot "${request.name}"`,
      reason: `Group snapshot ${group.id} has that name already; names are unique on a backend`,
      nextStep: `To manage that one, import it as "${backend.name}/${group.id}"; otherwise choose another name`,
      attribute: ["name"],
    });
  }
  return undefined;
}

function isSameIntent(group: GroupSnapshot, request: GroupSnapshotRequest): boolean {
  const ids = group.members.map(({ volumeId }) => volumeId);
  return group.isWhole && JSON.stringify(ids) === JSON.stringify(request.volumeIds);
}

function newMember(
  backend: Backend,
  request: GroupSnapshotRequest,
  { groupId, run }: { readonly groupId: string; readonly run: string },
  volumeId: string,
  index: number,
): NewSnapshot {
  const { name, labels, defaultLabels, deletionProtection, settings } = request;
  const membership: Membership = { id: groupId, name, index, count: request.volumeIds.length };
  return {
    id: randomUUID(),
    name: memberName(name, index),
    owner: backend.owner,
    volumeId,
    labels,
    defaultLabels,
    deletionProtection,
    settings: withRun({ ...settings, [settingName]: { ...membership } }, run),
    createdAt: new Date().toISOString(),
  };
}

function reservation(snapshot: NewSnapshot, { sizeBytes }: VolumeRecord): SnapshotRecord {
  return { ...snapshot, sizeBytes, phase: "creating", location: "" };
}

function asGroup(id: string, name: string, records: readonly SnapshotRecord[]): GroupSnapshot {
  const [first, ...others] = records;
  if (first === undefined) throw new Error("a group has at least one snapshot");
  return { id, name, members: [first, ...others], count: records.length, isWhole: true };
}

function membershipOf({ settings }: SnapshotRecord): Membership | undefined {
  const kept: JsonValue | undefined = settings[settingName];
  if (typeof kept !== "object" || kept === null || Array.isArray(kept)) return undefined;
  const { id, name, index, count } = kept as { readonly [key: string]: JsonValue };
  const isComplete =
    typeof id === "string" &&
    typeof name === "string" &&
    typeof index === "number" &&
    typeof count === "number";
  return isComplete ? { id, name, index, count } : undefined;
}
