import {
  type Attachment,
  type JobReference,
  type Provisioning,
  StorageError,
  type Work,
} from "../../contract/index.ts";
import { describeAttachment } from "../shared/refusals.ts";
import { type Operation, type VolumeDirectory, wordsOf } from "./directory.ts";
import { jobsDirectory, objectName } from "./layout.ts";
import { inPhase, metadataLine } from "./metadata.ts";
import { copyJobScript, copyScript, exitCodes, updateScript } from "./scripts.ts";
import type { Sidecar } from "./sidecar.ts";
import type { StoredSnapshot, StoredVolume } from "./stored-objects.ts";

/** A copy of one object's data to another's, which becomes independent of it. */
export interface Copy {
  readonly source: StoredVolume | StoredSnapshot;
  /** What the new object will be when it is ready. */
  readonly sidecar: Sidecar;
  readonly provisioning: Provisioning;
}

/** Names the job that copies into an object. */
export function copyJob(directory: VolumeDirectory, id: string): JobReference {
  return { id: `copy-${id}`, directory: `${directory.path}/${jobsDirectory}` };
}

/** The copy as a job, for an object that is reserved. */
export function copying(
  directory: VolumeDirectory,
  operation: Operation,
  copy: Copy,
): Extract<Work<never>, { state: "working" }> {
  const { id, format } = copy.sidecar.fields;
  const argv = [
    ...["sh", "-c", copyJobScript, "breezeblock", directory.path, directory.identity(operation)],
    ...[`${copy.source.object}.${format}`, objectName(copy.sidecar.kind, id), format],
    sharesBlocks(copy) ? "auto" : "never",
  ];
  return { state: "working", job: { ...copyJob(directory, id), argv } };
}

/**
 * Copies at once by reflink, and returns the size in bytes. Returns `undefined` when a job has to copy: the object is
 * reserved then. Throws `VolumeIsBusy` when somebody could write to the source while a job copies it.
 */
export async function copyAtOnce(
  directory: VolumeDirectory,
  operation: Operation,
  copy: Copy,
): Promise<number | undefined> {
  const { sidecar } = copy;
  const { id, owner, format, createdSizeBytes } = sidecar.fields;
  const { action, context } = operation;
  const writer = writerOf(copy.source);
  const result = await directory.attempt(operation, copyScript, {
    owner,
    args: [
      ...[`${copy.source.object}.${format}`, objectName(sidecar.kind, id), format],
      ...[copy.provisioning, String(createdSizeBytes)],
      sharesBlocks(copy) ? "yes" : "no",
      writer === undefined ? "yes" : "no",
    ],
    lines: [metadataLine(inPhase(sidecar, "creating"), action), metadataLine(sidecar, action)],
  });
  if (result.exitCode === exitCodes.needsCopy) {
    directory.keep(operation, inPhase(sidecar, "creating"), createdSizeBytes);
    return undefined;
  }
  if (result.exitCode === exitCodes.cannotReflink && writer !== undefined) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason:
        `the source can be written to through ${describeAttachment(writer)}, ` +
        `and a copy of one point in time of it is not possible here: ${wordsOf(result)}`,
      nextStep: "Detach it first, or keep the directory on a file system with reflinks (XFS, Btrfs).",
      host: context.executor.host,
    });
  }
  if (result.exitCode !== 0) throw directory.failure(context, action, result);
  return directory.sizeFrom(operation, result.stdout);
}

/** Takes up a reservation that a killed run left, as what is asked for now; its job goes on, or starts again. */
export async function reserveAgain(
  directory: VolumeDirectory,
  operation: Operation,
  { sidecar }: Pick<Copy, "sidecar">,
): Promise<void> {
  const { kind, fields } = sidecar;
  const object = objectName(kind, fields.id);
  const stored = operation.listing.sidecars.get(object);
  const reservation = inPhase(sidecar, "creating");
  const line = metadataLine(reservation, operation.action);
  if (stored === undefined || stored.line === line) return;
  await directory.change(operation, updateScript, {
    owner: fields.owner,
    args: [object],
    lines: [stored.line, line],
  });
  directory.keep(operation, reservation, fields.createdSizeBytes);
}

/** Thick means that writing never runs out of room: such a volume shares no block with anything. */
function sharesBlocks({ source, provisioning }: Copy): boolean {
  return provisioning === "thin" && !(isVolume(source) && source.record.provisioning === "thick");
}

/** An attachment through which the source can change at any time. */
function writerOf(source: Copy["source"]): Attachment | undefined {
  return isVolume(source) ? source.record.attachments.find(({ mode }) => mode === "rw") : undefined;
}

function isVolume(source: Copy["source"]): source is StoredVolume {
  return source.sidecar.kind === "volume";
}
