import {
  type Backend,
  type Pin,
  type Placed,
  type PlannedCreation,
  parseObjectId,
  type VolumeDemand,
} from "../../src/backend/index.ts";
import { StorageError } from "../../src/contract/index.ts";
import { matchesExtraSpecs } from "../../src/scheduler/index.ts";
import { toleratesAbsence } from "../common/objects.ts";
import { type HookContext, isUnknown, isWhollyKnown, type Value, valuesEqual } from "../schema/index.ts";
import type { VolumePlan, VolumeState } from "./attributes.ts";
import { placeWishesOf } from "./demand.ts";

/** Names a creation among those of a run, the same when it is planned and when it is carried out. */
export function creationKey(
  planned: VolumePlan,
  demand: VolumeDemand,
): Pick<PlannedCreation, "key" | "isShared"> {
  const { backend, name, name_prefix: prefix } = planned;
  // Names are unique on a backend only.
  const create = `create${isUnknown(backend) ? "" : ` on ${backend}`}`;
  if (prefix === null && !isUnknown(name)) return { key: `${create} ${name}`, isShared: false };
  // Hints are resolved to where volumes are, which is not the same before and after one has moved.
  const { action: _, sameBackend: __, differentBackend: ___, ...rest } = demand;
  return { key: `${create} ${isUnknown(prefix) ? "?" : prefix}… ${JSON.stringify(rest)}`, isShared: true };
}

/** Part of planning a change: refuses a growth that the volume's backend has no room for, with all else that is planned. */
export async function checkGrowth(
  context: HookContext,
  backend: Backend,
  prior: VolumeState,
  planned: VolumePlan,
): Promise<void> {
  const { size_bytes: sizeBytes } = planned;
  if (isUnknown(sizeBytes) || sizeBytes <= prior.size_bytes || context.plannedSpace === undefined) return;
  if (!(await isReachable(backend))) return;
  const { record } = placedOf(backend, prior);
  const growthBytes = (await backend.listing()).volumes.get(record.id)?.growthBytes;
  await context.plannedSpace.grow(pinOf(backend), { ...record, growthBytes }, sizeBytes);
}

/**
 * Part of planning a change: what is asked of a volume's place counts when it is made, and a volume does not move. What
 * would come to nothing is refused.
 */
export async function checkWishes(backend: Backend, prior: VolumeState, planned: VolumePlan): Promise<void> {
  const changed = (["requirements", "availability_zone"] as const).find(
    (name) =>
      planned[name] !== null &&
      isWhollyKnown(planned[name] as Value) &&
      !valuesEqual(planned[name] as Value, prior[name]),
  );
  if (changed === undefined || !(await isReachable(backend))) return;
  const { requirements, availabilityZone } = placeWishesOf(planned);
  const { pools, labels = {}, ...own } = await backend.stats();
  const pool = pools?.find(({ pool_name: name }) => name === prior.pool);
  const { matches, reason } = matchesExtraSpecs({ ...labels, ...own, ...pool }, requirements);
  const zone = own.availability_zone;
  const isElsewhere = availabilityZone !== null && availabilityZone !== zone;
  if (matches && !isElsewhere) return;
  throw new StorageError({
    kind: "InvalidInput",
    action: `change the ${changed} of volume "${prior.name}"`,
    reason: isElsewhere
      ? `It is ${zone === undefined ? "in no availability zone" : `in availability zone "${zone}"`}, and not in "${availabilityZone}"; a volume stays where it is`
      : `Where it is, ${reason}; a volume stays where it is`,
    nextStep: "Write what holds for its backend, or leave it out",
    backend: backend.name,
    attribute: [changed],
  });
}

/** A volume as state has it, where its space is. */
export function placedOf(backend: Backend, state: VolumeState): Placed {
  const { id, name, pool, provisioning, size_bytes: sizeBytes } = state;
  return { backend, record: { id: parseObjectId(id, "id").uuid, name, pool, provisioning, sizeBytes } };
}

export function pinOf(backend: Backend, pool: string | null = null): Pin {
  return { backend, pool };
}

/** False for a host that does not answer, where the configuration says not to stop for that. */
async function isReachable(backend: Backend): Promise<boolean> {
  try {
    await backend.listing();
    return true;
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    return false;
  }
}
