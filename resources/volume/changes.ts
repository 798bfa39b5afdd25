import type { VolumeChanges } from "../../src/backend/index.ts";
import { type HookContext, isUnknown, settled } from "../schema/index.ts";
import type { VolumePlan, VolumeState, Written } from "./attributes.ts";
import { settingsOf } from "./state.ts";

export function changesBetween(
  context: HookContext,
  prior: VolumeState,
  planned: VolumePlan,
  written: Written,
): VolumeChanges {
  // Unknown at apply is only the name that a changed prefix generates.
  const name = isUnknown(planned.name) ? `${written.name_prefix ?? ""}${prior.id.slice(-8)}` : planned.name;
  const sizeBytes = isUnknown(planned.size_bytes) ? prior.size_bytes : planned.size_bytes;
  return {
    ...(name === prior.name ? {} : { name }),
    ...(sizeBytes === prior.size_bytes ? {} : { sizeBytes }),
    labels: written.labels ?? {},
    defaultLabels: context.fleet.settings.defaultLabels,
    deletionProtection: settled(planned, ["deletion_protection"]).deletion_protection,
    multiattach: written.multiattach,
    settings: settingsOf(written),
  };
}
