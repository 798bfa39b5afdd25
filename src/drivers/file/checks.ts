import { type NewSnapshot, type NewVolume, type Provisioning, StorageError } from "../../contract/index.ts";
import { type FileFormat, isId } from "./layout.ts";
import { poolName } from "./listing.ts";

/** What can be wrong with a request whatever the directory holds. */

/** qcow2 sizes are whole sectors. */
const sectorBytes = 512;

export function roundedSize(sizeBytes: number, format: FileFormat): number {
  return format === "qcow2" ? Math.ceil(sizeBytes / sectorBytes) * sectorBytes : sizeBytes;
}

export function checkNew(object: NewVolume | NewSnapshot, action: string): void {
  if (!isId(object.id)) {
    throw new StorageError({
      kind: "InvalidInput",
      action,
      reason: `${JSON.stringify(object.id)} is not a UUID in lower case`,
    });
  }
  if ("sizeBytes" in object) checkSize(object.sizeBytes, action);
}

export function checkSize(sizeBytes: number, action: string): void {
  if (Number.isSafeInteger(sizeBytes) && sizeBytes > 0) return;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `${sizeBytes} is not a size in bytes`,
    attribute: ["size"],
  });
}

export function checkPool(volume: NewVolume, action: string): void {
  if (volume.pool === null || volume.pool === poolName) return;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `a directory has no pool ${JSON.stringify(volume.pool)}, only ${JSON.stringify(poolName)}`,
    attribute: ["backend"],
  });
}

export function checkProvisioning(provisioning: Provisioning, format: FileFormat, action: string): void {
  if (provisioning === "thin" || format === "raw") return;
  throw new StorageError({
    kind: "NotSupported",
    action,
    reason: `a ${format} file cannot be provisioned ${provisioning}`,
    nextStep: 'Use provisioning = "thin", or a backend with format = "raw".',
    attribute: ["provisioning"],
  });
}
