import { StorageError } from "../../contract/index.ts";
import { isExhausted, type VolumeGroup, zeroesBlocks } from "./report.ts";
import { findPool, requirePool } from "./requests.ts";

/** SET-2: what is wrong with a volume group, for good; what is only full today is not. Throws `VolumeBackendError`. */
export function checkVolumeGroup(group: VolumeGroup, thinPool: string | null, action: string): void {
  const wrong = (reason: string, nextStep: string) =>
    new StorageError({ kind: "VolumeBackendError", action, reason, nextStep });
  const { attributes, missingPhysicalVolumes } = group;
  if (missingPhysicalVolumes.length > 0 || attributes[3] === "p") {
    throw wrong(
      `the volume group ${group.name} is partial: ${missingPhysicalVolumes.join(", ")} missing`,
      "Attach the missing disk, or repair the volume group; see vgreduce(8), --removemissing.",
    );
  }
  if (attributes[2] === "x") {
    throw wrong(
      `the volume group ${group.name} is exported`,
      `Take it over on this host: vgimport ${group.name}.`,
    );
  }
  if (attributes[0] !== "w") {
    throw wrong(
      `the volume group ${group.name} is read-only`,
      `Let it be changed: vgchange -p rw ${group.name}.`,
    );
  }
  if (attributes[5] === "c" || attributes[5] === "s" || !["", "none"].includes(group.lockType)) {
    throw wrong(
      `the volume group ${group.name} is shared between hosts (lock type ${group.lockType || "clvm"})`,
      "Use a volume group that belongs to this host alone.",
    );
  }
  if (thinPool === null) return;
  const pool = findPool(group, thinPool, action);
  // Deleting is what frees a full one.
  if (!isExhausted(pool)) requirePool(group, thinPool, action);
  if (!zeroesBlocks(pool)) {
    throw wrong(
      `the thin pool ${group.name}/${thinPool} does not zero new blocks, so volumes would show what was there before`,
      `Switch it on: lvchange --zero y ${group.name}/${thinPool}.`,
    );
  }
}
