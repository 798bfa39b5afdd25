import { StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import { parseBackendReference } from "../common/objects.ts";
import { type HookContext, isUnknown } from "../schema/index.ts";
import type { VolumePlan, VolumeState } from "./attributes.ts";

export function refuseProtected(prior: VolumeState): void {
  if (prior.deletion_policy === "retain" || !prior.deletion_protection) return;
  throw new StorageError({
    kind: "DeletionProtected",
    action: `delete volume "${prior.name}" (${prior.id})`,
    reason: "It is protected against deletion",
    nextStep:
      "Set deletion_protection = false and apply that first; where its block is gone from the configuration, put it back for that",
    attribute: ["deletion_protection"],
  });
}

/** A last snapshot is of use only where it outlives its volume. */
export function checkDeletionPolicy(
  context: HookContext,
  { backend: reference, deletion_policy, provisioning }: VolumePlan,
): void {
  if (deletion_policy !== "snapshot" || isUnknown(reference)) return;
  const backend = context.fleet.backend(parseBackendReference(reference).name, ["backend"]);
  const { features, technology } = backend.driver;
  const made = isUnknown(provisioning) ? features.provisioning[0] : provisioning;
  if (features.snapshotsOutlive.some((kind) => kind === made)) return;
  throw new StorageError({
    kind: "NotSupported",
    action: "take a last snapshot of a volume that is destroyed",
    reason: `With technology ${technology} the snapshots of a ${made} volume do not outlive it`,
    nextStep: 'Write deletion_policy = "retain", which leaves the volume itself on the backend',
    backend: backend.name,
    attribute: ["deletion_policy"],
  });
}

/** A volume that has become smaller has lost data, and growing it again would only hide that. */
export function warnIfCut(context: HookContext, record: VolumeRecord, state: VolumeState): void {
  if (record.sizeBytes >= state.size_bytes) return;
  context.warn({
    summary: `Volume "${record.name}" has become smaller on the host`,
    detail: `It had ${state.size_bytes} bytes when it was last looked at, and has ${record.sizeBytes} now: what was written beyond is lost. Growing it again brings nothing of it back.`,
    path: ["size"],
  });
}

export function refusedBackendChange(planned: VolumePlan["backend"], prior: VolumeState): StorageError {
  return new StorageError({
    kind: "InvalidInput",
    action: `move volume "${prior.name}" from backend "${prior.backend}" to ${isUnknown(planned) ? "one not known yet" : `"${planned}"`}`,
    reason: "Its data stays where it is, unless on_backend_change says otherwise",
    nextStep:
      'Write the old backend again; set on_backend_change = "migrate" to move the volume with its data; set on_backend_change = "replace" to give the data up; or, if the backend was only renamed, list its old name in its aliases',
    attribute: ["backend"],
  });
}

export function refusedSourceChange(prior: VolumeState): StorageError {
  return new StorageError({
    kind: "InvalidInput",
    action: `change the source of volume "${prior.name}"`,
    reason: "The volume's content would have to be made anew, and what it holds now would be lost",
    nextStep:
      'Write the old source again, or remove source; or set on_source_change to "keep" (keeps the data) or "replace" (gives it up)',
    attribute: ["source"],
  });
}

export function refusedProvisioningChange(prior: VolumeState): StorageError {
  return new StorageError({
    kind: "InvalidInput",
    action: `change the provisioning of volume "${prior.name}"`,
    reason: `It was made ${prior.provisioning}, and that cannot be changed in place`,
    nextStep: `Write provisioning = "${prior.provisioning}", or replace the volume explicitly (-replace) if its data may go`,
    attribute: ["provisioning"],
  });
}
