import {
  type JobReference,
  type Revert,
  StorageError,
  type VolumeRecord,
  type Work,
} from "../../contract/index.ts";
import { refuseCopied, refuseOvertaken } from "../shared/refusals.ts";
import type { Operation, VolumeDirectory } from "./directory.ts";
import { jobsDirectory } from "./layout.ts";
import { metadataLine } from "./metadata.ts";
import {
  completeRevertScript,
  exitCodes,
  revertJobScript,
  revertMarkScript,
  updateScript,
} from "./scripts.ts";
import type { VolumeSidecar } from "./sidecar.ts";
import { refuseNotFlat, type StoredSnapshot, type StoredVolume } from "./stored-objects.ts";

/**
 * Putting a volume back: a job copies the snapshot to a half-made file, which then takes the place of the volume's data by
 * one rename. Until then the volume holds what it held.
 */

/** Names the job that copies a snapshot for a volume. */
export function revertJob(directory: VolumeDirectory, volumeId: string): JobReference {
  return { id: `restore-${volumeId}`, directory: `${directory.path}/${jobsDirectory}` };
}

export async function beginRevert(
  directory: VolumeDirectory,
  operation: Operation,
  volume: StoredVolume,
  snapshot: StoredSnapshot,
  { mark }: Revert,
): Promise<Work<VolumeRecord>> {
  const { fields } = volume.sidecar;
  refuseNotFlat(snapshot, operation);
  refuseCopied(volume.record, operation.listing, operation.action);
  if (snapshot.sidecar.fields.format !== fields.format) {
    throw new StorageError({
      kind: "InvalidInput",
      action: operation.action,
      reason: `the volume is a ${fields.format} file, and the snapshot a ${snapshot.sidecar.fields.format} file`,
    });
  }
  if (fields.restoring !== snapshot.record.id || fields.restoringMark !== mark) {
    const marked = changedSidecar(volume.sidecar, { restoring: snapshot.record.id, restoringMark: mark });
    const { format, provisioning } = fields;
    const { sizeBytes, owner } = volume.record;
    await directory.change(operation, revertMarkScript, {
      owner,
      args: [`${snapshot.object}.${format}`, volume.object, format, provisioning, String(sizeBytes)],
      lines: [volume.line, metadataLine(marked, operation.action)],
    });
    directory.keepVolume(operation, marked, sizeBytes);
  }
  const argv = [
    ...["sh", "-c", revertJobScript, "breezeblock", directory.path, directory.identity(operation)],
    ...[`${snapshot.object}.${fields.format}`, volume.object, fields.format],
    // Thick means that writing never runs out of room: such a volume shares no block with anything.
    fields.provisioning === "thin" ? "auto" : "never",
    ...[mark, String(volume.record.sizeBytes)],
  ];
  return { state: "working", job: { ...revertJob(directory, fields.id), argv } };
}

/** The volume put back, or `undefined` where the copy is not there: it was in place already, or went astray. */
export async function completeRevert(
  directory: VolumeDirectory,
  operation: Operation,
  volume: StoredVolume,
  snapshot: StoredSnapshot,
  { mark, settings }: Revert,
): Promise<VolumeRecord | undefined> {
  const { sidecar, record, object, line } = volume;
  refuseOvertaken(record, snapshot.record.id, mark, operation.action);
  const { owner, format, provisioning } = sidecar.fields;
  const changed = changedSidecar(sidecar, { settings, restoring: undefined, restoringMark: undefined });
  const result = await directory.attempt(operation, completeRevertScript, {
    owner,
    args: [object, format, provisioning, String(record.sizeBytes)],
    lines: [line, metadataLine(changed, operation.action)],
  });
  if (result.exitCode === exitCodes.needsCopy) return undefined;
  if (result.exitCode !== 0) throw directory.failure(operation.context, operation.action, result);
  return directory.keepVolume(operation, changed, record.sizeBytes);
}

/** The volume as it was; its half-made file is swept by the next change. */
export async function abandonRevert(
  directory: VolumeDirectory,
  operation: Operation,
  volume: StoredVolume,
): Promise<VolumeRecord> {
  if (volume.sidecar.fields.restoring === undefined) return volume.record;
  return rewrite(directory, operation, volume, { restoring: undefined, restoringMark: undefined });
}

async function rewrite(
  directory: VolumeDirectory,
  operation: Operation,
  { object, record, sidecar, line }: StoredVolume,
  changes: Pick<VolumeRecord, "restoring" | "restoringMark">,
): Promise<VolumeRecord> {
  const changed = changedSidecar(sidecar, changes);
  await directory.change(operation, updateScript, {
    owner: record.owner,
    args: [object],
    lines: [line, metadataLine(changed, operation.action)],
  });
  return directory.keepVolume(operation, changed, record.sizeBytes);
}

function changedSidecar(sidecar: VolumeSidecar, changes: Partial<VolumeSidecar["fields"]>): VolumeSidecar {
  return { ...sidecar, fields: { ...sidecar.fields, ...changes } };
}
