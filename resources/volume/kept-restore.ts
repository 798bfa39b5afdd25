import type { JsonValue, VolumeRecord } from "../../src/contract/index.ts";
import type { VolumeState } from "./attributes.ts";

type Restore = VolumeState["restore"];

/**
 * What state says of `restore`: the trigger that was carried out last is the host's to say, where it says any. A run whose
 * answer was lost shows no change then, and one that was killed before does.
 */
export function restoreOf(record: VolumeRecord, known: Restore): Restore {
  return known === null ? null : (keptRestore(record.settings) ?? known);
}

/** The `restore` that the host says was carried out, or noted, last. */
export function keptRestore(settings: VolumeRecord["settings"]): NonNullable<Restore> | undefined {
  const kept: JsonValue | undefined = settings["restore"];
  if (typeof kept !== "object" || kept === null || Array.isArray(kept)) return undefined;
  const { snapshot_id, trigger } = kept as { readonly [key: string]: JsonValue };
  return typeof snapshot_id === "string" && typeof trigger === "string"
    ? { snapshot_id, trigger }
    : undefined;
}
