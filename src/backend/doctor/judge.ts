import {
  type Attachment,
  type ObjectRecord,
  type SnapshotRecord,
  snapshotsHolding,
  type VolumeRecord,
} from "../../contract/index.ts";
import { isFromImage } from "../images.ts";
import { moveOf } from "../migration-marks.ts";
import { isProtected } from "../ownership.ts";
import type { Evidence } from "./evidence.ts";
import { type Condition, type Finding, findingId, type Judgement, type Place } from "./findings.ts";

/**
 * What it means on a backend that no state given holds an object.
 *
 * `unknown`: nothing; the states cannot be judged by. `shown`: it is listed, but what the states leave out may be another
 * state's. `removable`: the states know the backend, and the object is nobody's.
 */
export type OrphanVerdict = "unknown" | "shown" | "removable";

/** What states say, and what counts as long enough. */
export interface Knowledge {
  /** UUIDs of everything that the states hold; `null` where there is no state to judge by. */
  readonly ids: ReadonlySet<string> | null;
  /** Of these, those that a state which can be judged by has on this backend. */
  readonly idsHere: ReadonlySet<string>;
  readonly orphans: OrphanVerdict;
  /** In milliseconds since 1970: what was made later, they cannot hold; `null` where that is not known, or does not matter. */
  readonly statesWrittenAt: number | null;
  /** In milliseconds since 1970. */
  readonly now: number;
  /** What is not finished, or not known to be in a state, and is younger than this may belong to a run under way. */
  readonly minAgeMs: number;
}

/** Tells what on a backend is nobody's any more. Only what carries the owner's mark is ever listed. No I/O. */
export function judge(evidence: Evidence, knowledge: Knowledge): Judgement {
  const court = new Court(evidence, knowledge);
  const { volumes, snapshots } = evidence.inventory;
  for (const volume of volumes.values()) if (court.owns(volume)) court.judgeVolume(volume);
  for (const snapshot of snapshots.values()) if (court.owns(snapshot)) court.judgeSnapshot(snapshot);
  court.judgeDamaged();
  court.judgeExports();
  court.judgeLeftovers();
  court.judgeJobs();
  for (const list of [court.findings, court.inProgress, court.retained]) list.sort(byPlace);
  return court;
}

const placeOrder: readonly Place["kind"][] = [
  "volume",
  "snapshot",
  "attachment",
  "export",
  "acl",
  "helper",
  "file",
  "job",
];

/** The same order in every run, whatever the host's is. */
function byPlace(one: Finding, other: Finding): number {
  const [rank, otherRank] = [one, other].map(({ place }) => placeOrder.indexOf(place.kind));
  return (rank ?? 0) - (otherRank ?? 0) || compare(one.name, other.name) || compare(one.id, other.id);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

const otherwise = "Or import it into the state that is to have it";

class Court implements Judgement {
  readonly findings: Finding[] = [];
  readonly inProgress: Finding[] = [];
  readonly retained: Finding[] = [];
  unmarked = 0;
  readonly #evidence: Evidence;
  readonly #knowledge: Knowledge;

  constructor(evidence: Evidence, knowledge: Knowledge) {
    this.#evidence = evidence;
    this.#knowledge = knowledge;
  }

  owns({ owner }: Pick<ObjectRecord, "owner">): boolean {
    return owner === this.#evidence.owner;
  }

  judgeVolume(volume: VolumeRecord): void {
    this.#judgeObject("volume", volume, () => this.#needsOf(volume));
    for (const attachment of volume.attachments) this.#judgeAttachment(volume, attachment);
  }

  judgeSnapshot(snapshot: SnapshotRecord): void {
    this.#judgeObject("snapshot", snapshot, () => undefined);
  }

  /** @param needed what a state still needs of it, in words */
  #judgeObject(kind: "volume" | "snapshot", record: ObjectRecord, needed: () => string | undefined): void {
    const place: Place = { kind, uuid: record.id };
    if (record.phase === "retained") {
      if (this.#isKnown(record.id) !== true) this.retained.push(this.#retainedObject(kind, place, record));
      return;
    }
    if (this.#isKnown(record.id) === true) return;
    const isUnfinished = record.phase === "creating" || record.phase === "deleting";
    if (!isUnfinished && this.#isKnown(record.id) === undefined) return;
    const progress = this.#progressOf(record);
    if (progress !== undefined) {
      this.inProgress.push(this.#underWay(place, record.name, progress));
      return;
    }
    if (isUnfinished) {
      this.findings.push({ ...this.#base(place, record.name, "half_made"), ...halfMade(record) });
      return;
    }
    this.findings.push({
      ...this.#base(place, record.name, "orphan"),
      reason: `No state given holds it. It was made ${record.createdAt}, and its phase is ${record.phase}.`,
      ...this.#whatToDo(kind, record, needed()),
    });
  }

  #whatToDo(
    kind: "volume" | "snapshot",
    record: ObjectRecord,
    needed: string | undefined,
  ): Pick<Finding, "removable" | "nextStep"> {
    const doubt = this.#doubtAbout(record.createdAt);
    if (doubt !== undefined) return { removable: false, nextStep: doubt };
    if (isProtected(record)) {
      return {
        removable: false,
        nextStep: `It is protected against deletion: import it, set deletion_protection = false, and destroy it.`,
      };
    }
    if (needed !== undefined) {
      return { removable: false, nextStep: `It is needed by ${needed}, which a state holds: import it.` };
    }
    if (this.#mayBeNew(record)) {
      return {
        removable: "forced",
        nextStep: `It was made in work that takes long, so a run may have finished it just now. Where none is under way: --remove it with --force. ${otherwise}.`,
      };
    }
    if (kind === "volume" && this.#evidence.exports === null) {
      return {
        removable: "forced",
        nextStep: `Nobody can tell whether it is exported, and whether somebody is connected: see what is wrong with the target. With --force it is removed all the same. ${otherwise}.`,
      };
    }
    const from = kind === "volume" ? this.#evidence.inventory.volumes.get(record.id)?.adoptedFrom : undefined;
    if (from !== undefined) {
      return {
        removable: true,
        nextStep: `Others made it, as ${from}: --remove gives it back as it was found, and deletes nothing. ${otherwise}.`,
      };
    }
    const before = kind === "volume" ? this.#goingBefore(record.id) : [];
    const order =
      before.length === 0 ? removeIt : `Remove ${before.join(" and ")} first, then it, with --remove.`;
    return { removable: true, nextStep: `${order} ${otherwise}.` };
  }

  /** What stands in the way of a volume's deletion, and may go with it. */
  #goingBefore(volumeId: string): readonly string[] {
    const { inventory } = this.#evidence;
    const hasSnapshots = snapshotsHolding(volumeId, inventory).length > 0;
    return [
      ...((inventory.volumes.get(volumeId)?.attachments.length ?? 0) > 0 ? ["its attachments"] : []),
      ...(hasSnapshots ? ["its snapshots"] : []),
    ];
  }

  #retainedObject(kind: "volume" | "snapshot", place: Place, { name }: ObjectRecord): Finding {
    return {
      ...this.#base(place, name, "retained"),
      reason: `Its state gave this ${kind} up on purpose (deletion_policy = "${kind === "volume" ? "retain" : "snapshot"}").`,
      removable: false,
      nextStep: "Nothing needs to be done. Import it to have it in a state again, and to destroy it.",
    };
  }

  /** What states still hold of a volume that they do not. */
  #needsOf(volume: VolumeRecord): string | undefined {
    const attachment = volume.attachments.find(({ id }) => this.#isKnown(id) === true);
    if (attachment !== undefined) return `attachment ${attachment.id}`;
    const snapshot = [...this.#evidence.inventory.snapshots.values()].find(
      ({ id, volumeId }) => volumeId === volume.id && this.#isKnown(id) === true,
    );
    return snapshot === undefined ? undefined : `snapshot "${snapshot.name}" (${snapshot.id})`;
  }

  #judgeAttachment(volume: VolumeRecord, attachment: Attachment): void {
    if (this.#isKnown(attachment.id) !== false) return;
    const place: Place = { kind: "attachment", uuid: attachment.id, volumeId: volume.id };
    const consumer = describeConsumer(attachment);
    const name = `${volume.name} at ${consumer}`;
    if (this.#isYoung(attachment.attachedAt)) {
      this.inProgress.push(this.#underWay(place, name, newInState));
      return;
    }
    const doubt = this.#doubtAbout(attachment.attachedAt);
    this.findings.push({
      ...this.#base(place, name, "orphan"),
      reason: `Volume "${volume.name}" is attached to ${consumer} since ${attachment.attachedAt}, and no state given holds that attachment.`,
      ...(doubt === undefined
        ? this.#revoking(volume.id, this.#evidence.initiatorOf(attachment.connector), consumer)
        : { removable: false, nextStep: doubt }),
    });
  }

  /** Why being in no state given does not prove that something is nobody's, as a next step. */
  #doubtAbout(time: string): string | undefined {
    const { orphans, statesWrittenAt } = this.#knowledge;
    if (orphans === "removable") {
      if (statesWrittenAt === null || Date.parse(time) <= statesWrittenAt) return undefined;
      return `It is younger than a state file given, which cannot hold it: give the states as they are now. ${complete}`;
    }
    return `The states given hold nothing that is on this backend, so a state may be missing: give it too. ${complete}`;
  }

  judgeDamaged(): void {
    for (const { id, kind, owner, reason } of this.#evidence.inventory.damaged.values()) {
      if (!this.#isOurs(owner, id)) {
        if (owner === null) this.unmarked += 1;
        continue;
      }
      this.findings.push({
        ...this.#base({ kind, uuid: id }, id, "damaged"),
        reason: `It is neither there nor gone: ${reason}.`,
        removable: false,
        nextStep: "Repair it on the host, or move what is left of it away.",
      });
    }
  }

  judgeExports(): void {
    const { exports, inventory } = this.#evidence;
    for (const { volumeId, granted, mark } of exports?.values() ?? []) {
      const volume = inventory.volumes.get(volumeId);
      if (volume !== undefined) {
        if (this.owns(volume)) this.#judgeAccess(volume, granted.keys());
        continue;
      }
      // Not vanished, as far as anybody can tell.
      if (inventory.damaged.has(volumeId) || inventory.unidentified !== undefined) continue;
      const isOurs =
        mark === null
          ? this.#knowledge.idsHere.has(volumeId)
          : this.owns(mark) && mark.identity === inventory.identity;
      if (!isOurs) continue;
      this.findings.push({
        ...this.#base({ kind: "export", volumeId }, volumeId, "left_over"),
        reason: "The volume that it exports is not there any more.",
        ...this.#revokingAll(volumeId),
      });
    }
  }

  #judgeAccess(volume: VolumeRecord, granted: Iterable<string>): void {
    const { initiatorOf } = this.#evidence;
    if (volume.attachments.length === 0) {
      this.findings.push({
        ...this.#base({ kind: "export", volumeId: volume.id }, volume.name, "left_over"),
        reason: `Volume "${volume.name}" is exported, and has no attachment.`,
        ...this.#revokingAll(volume.id),
      });
      return;
    }
    const recorded = new Set(volume.attachments.map(({ connector }) => initiatorOf(connector)));
    for (const initiator of granted) {
      if (recorded.has(initiator)) continue;
      this.findings.push({
        ...this.#base({ kind: "acl", volumeId: volume.id, initiator }, initiator, "left_over"),
        reason: `${initiator} has access to volume "${volume.name}", and there is no attachment of it.`,
        ...this.#revoking(volume.id, initiator, initiator),
      });
    }
  }

  judgeLeftovers(): void {
    const { inventory, leftovers } = this.#evidence;
    for (const leftover of leftovers) {
      const object = inventory.volumes.get(leftover.objectId) ?? inventory.snapshots.get(leftover.objectId);
      // Part of what is being made or deleted, which is listed itself.
      if (object !== undefined && isBeingChanged(object)) continue;
      if (!this.#isOurs(leftover.owner, leftover.objectId)) {
        if (leftover.owner === null) this.unmarked += 1;
        continue;
      }
      const place: Place = { kind: leftover.kind, leftover };
      const work = this.#workOn(leftover.objectId);
      if (work !== undefined || this.#isYoungThere(leftover.writtenAt)) {
        this.inProgress.push(
          this.#underWay(place, leftover.name, work ?? "it is new, and a run may be using it"),
        );
        continue;
      }
      const of = object === undefined ? leftover.objectId : `"${object.name}" (${object.id})`;
      this.findings.push({
        ...this.#base(place, leftover.name, "left_over"),
        reason: `It is ${leftover.description}, left by a run that did not finish, of ${of}.`,
        removable: true,
        nextStep: removeIt,
      });
    }
  }

  judgeJobs(): void {
    const { jobs, inventory } = this.#evidence;
    for (const [jobId, { status, writtenAt }] of jobs) {
      const uuid = jobId.slice(-36);
      const reference = this.#evidence.jobsOf(uuid).find(({ id }) => id === jobId);
      if (reference === undefined) continue;
      const object = inventory.volumes.get(uuid) ?? inventory.snapshots.get(uuid);
      if (object !== undefined && isBeingChanged(object)) continue;
      // A record carries no owner. Of what is not here, it may be another backend's or another owner's.
      if (!this.#isOurs(object?.owner ?? null, uuid)) continue;
      const place: Place = { kind: "job", jobId, directory: reference.directory };
      if (status === "running" || this.#isYoungThere(writtenAt)) {
        const why = status === "running" ? "it runs" : "it has just ended, and a run may be waiting for it";
        this.inProgress.push(this.#underWay(place, jobId, why));
        continue;
      }
      this.findings.push({
        ...this.#base(place, jobId, "left_over"),
        reason: `It is the record of a job that ${status === "ended" ? "has ended" : "was lost"}, and nothing waits for it.`,
        removable: true,
        nextStep: removeIt,
      });
    }
  }

  /** Taking access from one consumer. */
  #revoking(volumeId: string, initiator: string, consumer: string): Pick<Finding, "removable" | "nextStep"> {
    if (this.#evidence.exports === null) {
      return {
        removable: "forced",
        nextStep: `Nobody can tell whether ${consumer} is connected: see what is wrong with the target. With --force its access is taken all the same, and what it has not written is lost.`,
      };
    }
    const state = this.#evidence.exports.get(volumeId);
    // Without an export, nobody can be connected by it.
    if (state === undefined || state.connected?.has(initiator) === false || !state.granted.has(initiator)) {
      return { removable: true, nextStep: `${removeIt} ${otherwise}.` };
    }
    const use = state.connected === null ? "may be connected" : "is connected";
    return {
      removable: "forced",
      nextStep: `${consumer} ${use}: unmount it and log out there first. With --force its access is taken all the same, and what it has not written is lost.`,
    };
  }

  #revokingAll(volumeId: string): Pick<Finding, "removable" | "nextStep"> {
    const state = this.#evidence.exports?.get(volumeId);
    const [first] = [...(state?.granted.keys() ?? [])].filter(
      (initiator) => state?.connected?.has(initiator) !== false,
    );
    return first === undefined
      ? { removable: true, nextStep: removeIt }
      : this.#revoking(volumeId, first, first);
  }

  /** Why an object may be somebody's work of this moment, in words. */
  #progressOf(record: ObjectRecord): string | undefined {
    const { id, phase, createdAt } = record;
    if (moveOf(record) !== undefined) return "it is being moved between backends, and an apply finishes that";
    const work = this.#workOn(id);
    if (work !== undefined) return work;
    if (!this.#isYoung(createdAt)) return undefined;
    if (phase === "creating") return "it is new, and a run may be making it";
    return phase === "deleting" ? "it is new, and a run may be deleting it" : newInState;
  }

  /** Whether it can be just finished however old it is: its time is when it was begun, and no state need have it yet. */
  #mayBeNew(record: ObjectRecord): boolean {
    if (record.phase !== "unacknowledged") return false;
    const { volumes, snapshots } = this.#evidence.inventory;
    const copied = snapshots.get(record.id);
    const volume = volumes.get(copied?.volumeId ?? record.id);
    if (volume === undefined || volume.provisioning === "thick") return true;
    return copied === undefined && (volume.source !== null || isFromImage(volume));
  }

  /** What jobs do for an object, or have done so lately that their run may be about to go on, in words. */
  #workOn(uuid: string): string | undefined {
    const { jobs, jobsOf } = this.#evidence;
    const records = jobsOf(uuid).flatMap(({ id }) => jobs.get(id) ?? []);
    if (records.some(({ status }) => status === "running")) return "a job works on it";
    return records.some(({ writtenAt }) => this.#isYoungThere(writtenAt))
      ? "a job for it has just ended, and a run may be about to go on"
      : undefined;
  }

  /** A time that cannot be, or is in the future by this machine's clock, counts as young. */
  #isYoung(time: string): boolean {
    return !(this.#knowledge.now - Date.parse(time) >= this.#knowledge.minAgeMs);
  }

  /** As `#isYoung`, by the host's clock, in milliseconds. What nobody knows the age of counts as young. */
  #isYoungThere(time: number | null): boolean {
    return time === null || !(this.#evidence.hostNow - time >= this.#knowledge.minAgeMs);
  }

  /** By its mark; where it has none, by a state that knows it to be here. */
  #isOurs(owner: string | null, uuid: string): boolean {
    return owner === null ? this.#knowledge.idsHere.has(uuid) : this.owns({ owner });
  }

  /** Whether a state holds it; `undefined` where nobody can tell. */
  #isKnown(uuid: string): boolean | undefined {
    const { ids, orphans } = this.#knowledge;
    if (ids?.has(uuid) === true) return true;
    return ids === null || orphans === "unknown" ? undefined : false;
  }

  #base(
    place: Place,
    name: string,
    condition: Condition,
  ): Omit<Finding, "reason" | "removable" | "nextStep"> {
    return { id: findingId(this.#evidence.backend, place), place, condition, name };
  }

  #underWay(place: Place, name: string, why: string): Finding {
    return {
      ...this.#base(place, name, "in_progress"),
      reason: `It may belong to a run under way: ${why}.`,
      removable: false,
      nextStep:
        "Look again when no run is under way; --min-age says from which age on a thing is no new one.",
    };
  }
}

/** Whether a next run has to finish what was begun with it. */
function isBeingChanged(object: VolumeRecord | SnapshotRecord): boolean {
  const { phase } = object;
  const isRestoring = "restoring" in object && object.restoring !== undefined;
  return phase === "creating" || phase === "deleting" || isRestoring || moveOf(object) !== undefined;
}

/** Of what is not whole, with no job that works on it. */
function halfMade(record: ObjectRecord): Pick<Finding, "reason" | "removable" | "nextStep"> {
  const isBeingMade = record.phase === "creating";
  if (isBeingMade && isFromImage(record)) {
    return {
      reason:
        "It was being filled from an image, and no job works on it. A run may still be sending the image.",
      removable: "forced",
      nextStep:
        "Apply again: a run of its configuration finishes it. Where no run is under way: --remove it with --force.",
    };
  }
  return {
    reason: `It was being ${isBeingMade ? "made" : "deleted"} by a run that did not finish, and nothing works on it.`,
    removable: true,
    nextStep: `Apply again: a run of its configuration finishes it. ${removeIt}`,
  };
}

/** Also of what was in a state already: that one may be newer than those given. */
const newInState = "it is new, and a run may be about to put it into a state, or have done so since";

const complete =
  "Where they are all that there are, and as they are now, --state-is-complete with --remove says so.";

const removeIt = "Remove it with --remove and its id.";

function describeConsumer({ connector }: Attachment): string {
  const { host, initiator, nqn, ip } = connector;
  return `"${host ?? initiator ?? nqn ?? ip ?? "nobody"}"`;
}
