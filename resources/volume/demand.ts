import { anyPlace, type PlacementWishes, type VolumeDemand } from "../../src/backend/index.ts";
import type { Provisioning } from "../../src/contract/index.ts";
import { locateVolume } from "../common/objects.ts";
import { type HookContext, isUnknown, type Unknowable } from "../schema/index.ts";
import type { VolumePlan } from "./attributes.ts";

/** What a planned volume asks of its place, as far as it is known. */
export async function demandOf(
  context: HookContext,
  planned: VolumePlan,
  sizeBytes: number,
): Promise<VolumeDemand> {
  return { ...placeDemandOf(planned, sizeBytes), ...(await hintsOf(context, planned)) };
}

/** The same without hints: what they name may be elsewhere by then. */
export function placeDemandOf(planned: VolumePlan, sizeBytes: number): VolumeDemand {
  const { name, name_prefix: prefix, provisioning, multiattach } = planned;
  const called = isUnknown(name) ? `${prefix === null || isUnknown(prefix) ? "" : prefix}…` : name;
  return {
    action: `create volume "${called}" of ${Math.ceil(sizeBytes / 1024 ** 3)} GiB`,
    sizeBytes,
    provisioning: isUnknown(provisioning) ? null : provisioning,
    multiattach: multiattach === true,
    ...placeWishesOf(planned),
  };
}

export async function wishesOf(
  context: HookContext,
  planned: Pick<VolumePlan, "requirements" | "availability_zone" | "scheduler_hints">,
): Promise<PlacementWishes> {
  return { ...placeWishesOf(planned), ...(await hintsOf(context, planned)) };
}

async function hintsOf(
  context: HookContext,
  { scheduler_hints: hints }: Pick<VolumePlan, "scheduler_hints">,
): Promise<Pick<PlacementWishes, "sameBackend" | "differentBackend">> {
  // Where the volumes are now: their ids name where they were made.
  const backendsOf = async (name: "same_backend_as" | "different_backend_from"): Promise<string[]> => {
    const ids = hints === null || isUnknown(hints) ? null : hints[name];
    if (ids === null || isUnknown(ids)) return [];
    const found: string[] = [];
    for (const [index, id] of ids.entries()) {
      if (isUnknown(id)) continue;
      found.push((await locateVolume(context, id, ["scheduler_hints", name, index])).backend.name);
    }
    return found;
  };
  return {
    sameBackend: await backendsOf("same_backend_as"),
    differentBackend: await backendsOf("different_backend_from"),
  };
}

/** What is asked of the place itself; hints ask where other volumes are. */
export function placeWishesOf({
  requirements,
  availability_zone: zone,
}: Pick<VolumePlan, "requirements" | "availability_zone">): PlacementWishes {
  return {
    ...anyPlace,
    requirements: knownEntries(requirements),
    availabilityZone: isUnknown(zone) ? null : zone,
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
