import type { JobReference, JobSpec } from "../../contract/index.ts";
import { deviceMapperUuid, devicePath, jobsDirectory } from "./names.ts";
import { clearJobScript, copyJobScript, mergeJobScript } from "./scripts.ts";
import { tagged } from "./selections.ts";
import { phaseTag } from "./tags.ts";

/** What a job does for an object. */
export type JobPurpose = "clear" | "copy" | "extend" | "merge" | "wipe";

export const jobPurposes: readonly JobPurpose[] = ["clear", "copy", "extend", "merge", "wipe"];

/** A device as a job is to prove it: by its place and by what the device mapper says that it is. */
export interface JobDevice {
  readonly volumeGroup: string;
  readonly volumeGroupUuid: string;
  readonly name: string;
  readonly uuid: string;
}

export function jobReference(purpose: JobPurpose, id: string): JobReference {
  return { id: `${purpose}-${id}`, directory: jobsDirectory };
}

/** Holds for what nobody uses yet; which logical volume it is, the device mapper's UUID says. */
const beingMade = tagged([phaseTag("creating")]);

/** @param mebibytesPerSecond 0 for as fast as it goes */
export function clearJob(
  purpose: "clear" | "extend" | "wipe",
  id: string,
  devices: readonly JobDevice[],
  mebibytesPerSecond: number,
): JobSpec {
  const argv = [
    "sh",
    "-c",
    clearJobScript,
    "breezeblock",
    String(mebibytesPerSecond),
    purpose === "clear" ? beingMade : "",
    ...devices.flatMap(proof),
  ];
  return { ...jobReference(purpose, id), argv };
}

/** A copy of one device to another that is at least as large. */
export interface Copy {
  readonly source: JobDevice;
  readonly target: JobDevice;
  /** The target reads as zeros already, so that zeros need not be written. */
  readonly isZeroed: boolean;
  /** The source is a copy-on-write snapshot made for this copy, and its space is to be cleared afterwards. */
  readonly clearsSource: boolean;
}

/** @param mebibytesPerSecond how fast it clears; 0 for as fast as it goes */
export function copyJob(id: string, copy: Copy, mebibytesPerSecond: number): JobSpec {
  const argv = [
    ...["sh", "-c", copyJobScript, "breezeblock", String(mebibytesPerSecond)],
    ...[...proof(copy.target), ...proof(copy.source)],
    ...[copy.isZeroed ? "sparse" : "whole", copy.clearsSource ? "clear" : "keep", beingMade],
  ];
  return { ...jobReference("copy", id), argv };
}

/**
 * Merges a copy-on-write snapshot into its origin, the volume of that id.
 *
 * @param selection holds for the origin while this is wanted
 */
export function mergeJob(id: string, origin: JobDevice, snapshot: JobDevice, selection: string): JobSpec {
  const argv = ["sh", "-c", mergeJobScript, "breezeblock", ...proof(origin), ...proof(snapshot), selection];
  return { ...jobReference("merge", id), argv };
}

function proof(device: JobDevice): readonly [string, string] {
  return [devicePath(device.volumeGroup, device.name), deviceUuid(device)];
}

/** What the device mapper calls the device. */
export function deviceUuid({ volumeGroupUuid, uuid }: JobDevice): string {
  return deviceMapperUuid(volumeGroupUuid, uuid);
}
