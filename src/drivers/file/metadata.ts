import {
  type Attachment,
  type NewSnapshot,
  type NewVolume,
  type Phase,
  StorageError,
} from "../../contract/index.ts";
import type { FileFormat } from "./layout.ts";
import { formatSidecar, type Sidecar, type SnapshotSidecar, type VolumeSidecar } from "./sidecar.ts";

/** In bytes. The listing reads files of up to 1 MiB, which leaves room for what a newer version or a person adds. */
const longestMetadata = 256 * 1024;

/** Throws `InvalidInput` for more than the listing would read again. */
export function metadataLine(sidecar: Sidecar, action: string): string {
  const line = formatSidecar(sidecar);
  if (line.length <= longestMetadata) return line;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `its metadata would take ${line.length} bytes, and ${longestMetadata} is the most`,
    nextStep: "Use fewer or shorter labels.",
    attribute: ["labels"],
  });
}

export function newVolumeSidecar(
  volume: NewVolume,
  format: FileFormat,
  createdSizeBytes: number,
): VolumeSidecar {
  return {
    kind: "volume",
    fields: {
      ...commonFields(volume, format, createdSizeBytes),
      provisioning: volume.provisioning,
      multiattach: volume.multiattach,
      source: volume.source,
      formatted: false,
      attachments: [],
    },
    unknown: {},
  };
}

export function newSnapshotSidecar(
  snapshot: NewSnapshot,
  format: FileFormat,
  createdSizeBytes: number,
): SnapshotSidecar {
  return {
    kind: "snapshot",
    fields: { ...commonFields(snapshot, format, createdSizeBytes), volumeId: snapshot.volumeId },
    unknown: {},
  };
}

function commonFields(object: NewVolume | NewSnapshot, format: FileFormat, createdSizeBytes: number) {
  return {
    id: object.id,
    name: object.name,
    owner: object.owner,
    phase: "unacknowledged" as const,
    format,
    createdSizeBytes,
    labels: object.labels,
    defaultLabels: object.defaultLabels,
    deletionProtection: object.deletionProtection,
    settings: object.settings,
    createdAt: object.createdAt,
  };
}

export function inPhase<S extends Sidecar>(sidecar: S, phase: Phase): S {
  return { ...sidecar, fields: { ...sidecar.fields, phase } };
}

/** The sidecar with those of `ids` acknowledged that stand in it; `undefined` when that changes nothing. */
export function acknowledgedSidecar(sidecar: Sidecar, ids: ReadonlySet<string>): Sidecar | undefined {
  const { fields } = sidecar;
  const object =
    ids.has(fields.id) && fields.phase === "unacknowledged" ? inPhase(sidecar, "acknowledged") : undefined;
  if (sidecar.kind === "snapshot") return object;
  const fresh = (attachment: Attachment) => ids.has(attachment.id) && attachment.phase === "unacknowledged";
  if (!sidecar.fields.attachments.some(fresh)) return object;
  const attachments = sidecar.fields.attachments.map((attachment) =>
    fresh(attachment) ? { ...attachment, phase: "acknowledged" as const } : attachment,
  );
  const phase = object === undefined ? fields.phase : "acknowledged";
  return { ...sidecar, fields: { ...sidecar.fields, phase, attachments } };
}
