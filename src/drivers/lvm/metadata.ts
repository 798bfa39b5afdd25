import type { NewSnapshot, NewVolume, Phase } from "../../contract/index.ts";
import type { SnapshotMetadata, VolumeMetadata } from "./listing.ts";
import type { Metadata } from "./tags.ts";

export function newVolumeMetadata(volume: NewVolume, phase: Phase): VolumeMetadata {
  return {
    kind: "volume",
    ...commonMetadata(volume, phase),
    multiattach: volume.multiattach,
    source: volume.source,
    formatted: false,
    isFilled: false,
    attachments: [],
  };
}

export function newSnapshotMetadata(snapshot: NewSnapshot, phase: Phase): SnapshotMetadata {
  return { kind: "snapshot", ...commonMetadata(snapshot, phase), volumeId: snapshot.volumeId };
}

function commonMetadata(object: NewVolume | NewSnapshot, phase: Phase) {
  return {
    id: object.id,
    name: object.name,
    owner: object.owner,
    phase,
    labels: object.labels,
    defaultLabels: object.defaultLabels,
    deletionProtection: object.deletionProtection,
    settings: object.settings,
    createdAt: object.createdAt,
    intendedBytes: null,
    unknown: [],
  };
}

/** The object whole: what was kept only while it was being made is gone. */
export function whole<M extends Metadata>(metadata: M): M {
  const filled = metadata.kind === "volume" ? { isFilled: false } : {};
  return { ...metadata, ...filled, phase: "unacknowledged", intendedBytes: null };
}

/** With those of `ids` acknowledged that stand in it; `undefined` when that changes nothing. */
export function acknowledged(metadata: Metadata, ids: ReadonlySet<string>): Metadata | undefined {
  const own = ids.has(metadata.id) && metadata.phase === "unacknowledged";
  const phase = own ? "acknowledged" : metadata.phase;
  if (metadata.kind === "snapshot") return own ? { ...metadata, phase } : undefined;
  const attachments = metadata.attachments.map((attachment) =>
    ids.has(attachment.id) && attachment.phase === "unacknowledged"
      ? { ...attachment, phase: "acknowledged" as const }
      : attachment,
  );
  const changed = attachments.some((attachment, index) => attachment !== metadata.attachments[index]);
  return own || changed ? { ...metadata, phase, attachments } : undefined;
}
