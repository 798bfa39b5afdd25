import { anyPlace, type PlacementWishes, type VolumeDemand } from "../../src/backend/index.ts";
import type { Provisioning } from "../../src/contract/index.ts";
import { locate } from "../common/objects.ts";
import { type HookContext, isUnknown, type Unknowable } from "../schema/index.ts";
import type { VolumePlan } from "./attributes.ts";

/** What a planned volume asks of its place, as far as it is known. */
export function demandOf(context: HookContext, planned: VolumePlan, sizeBytes: number): VolumeDemand {
  const { name, name_prefix: prefix, provisioning, multiattach } = planned;
  const called = isUnknown(name) ? `${prefix === null || isUnknown(prefix) ? "" : prefix}…` : name;
  return {
    action: `create volume "${called}" of ${Math.ceil(sizeBytes / 1024 ** 3)} GiB`,
    sizeBytes,
    provisioning: isUnknown(provisioning) ? null : provisioning,
    multiattach: multiattach === true,
    ...wishesOf(context, planned),
  };
}

export function wishesOf(
  context: HookContext,
  planned: Pick<VolumePlan, "requirements" | "availability_zone" | "scheduler_hints">,
): PlacementWishes {
  const { availability_zone: zone, scheduler_hints: hints } = planned;
  const backendsOf = (name: "same_backend_as" | "different_backend_from"): readonly string[] => {
    const ids = hints === null || isUnknown(hints) ? null : hints[name];
    if (ids === null || isUnknown(ids)) return [];
    return ids.flatMap((id, index) =>
      isUnknown(id) ? [] : [locate(context, id, ["scheduler_hints", name, index]).backend.name],
    );
  };
  return {
    ...anyPlace,
    requirements: knownEntries(planned.requirements),
    availabilityZone: isUnknown(zone) ? null : zone,
    sameBackend: backendsOf("same_backend_as"),
    differentBackend: backendsOf("different_backend_from"),
  };
}

/** What the requirements say of the provisioning; unknown where they may say something yet. */
export function requiredProvisioning(
  requirements: VolumePlan["requirements"],
): Unknowable<Provisioning> | null {
  if (isUnknown(requirements)) return requirements;
  const required = requirements?.[provisioningKey];
  if (required === undefined || isUnknown(required)) return required ?? null;
  const kind = required.trim().toLowerCase();
  return kind === "thin" || kind === "thick" ? kind : null;
}

export const provisioningKey = "provisioning:type";

function knownEntries(requirements: VolumePlan["requirements"]): Readonly<Record<string, string>> {
  if (requirements === null || isUnknown(requirements)) return {};
  return Object.fromEntries(
    Object.entries(requirements).filter((entry): entry is [string, string] => !isUnknown(entry[1])),
  );
}
