import { type Backend, parseObjectId, shrinks } from "../../src/backend/index.ts";
import { plannedWithDefaults } from "../common/labels.ts";
import { isBeingDeleted, parseBackendReference } from "../common/objects.ts";
import { claimForHeld } from "../common/planned-names.ts";
import { gibToBytes } from "../common/sizes.ts";
import {
  type HookContext,
  importedPrivate,
  isImported,
  isUnknown,
  type PlanRequest,
  type PlanResponse,
  UNKNOWN,
  valuesEqual,
} from "../schema/index.ts";
import type { VolumeAttributes, VolumePlan, VolumeState } from "./attributes.ts";
import { type CheckedCreation, checkClearing, checkCreation } from "./creation-check.ts";
import { requiredProvisioning } from "./demand.ts";
import { planMove, refuseRestoreWithMove } from "./move.ts";
import { follow, holderOf } from "./place.ts";
import {
  checkDeletionPolicy,
  refusedBackendChange,
  refusedProvisioningChange,
  refusedSourceChange,
  refuseProtected,
} from "./refusals.ts";
import { isHalfRestored, planRestore } from "./restore.ts";
import { backendOfSource, sourceChanges } from "./source.ts";
import { checkGrowth, checkWishes } from "./space.ts";
import { isUnclaimed, planClaim } from "./unclaimed.ts";

export async function plan(
  context: HookContext | null,
  request: PlanRequest<VolumeAttributes>,
): Promise<PlanResponse<VolumeAttributes>> {
  const { config, prior } = request;
  const shared: VolumePlan = {
    ...request.planned,
    ...plannedWithDefaults(context, config, request.planned),
    size_bytes: plannedBytes(request.planned.size, prior),
  };
  if (context !== null) checkDeletionPolicy(context, shared);
  if (prior !== null) return planChange(context, request, shared, prior);
  const wanted: VolumePlan = {
    ...shared,
    provisioning: config.provisioning ?? requiredProvisioning(config.requirements) ?? UNKNOWN,
    backend: config.backend ?? (context && (await backendOfSource(context, shared.source))?.name) ?? UNKNOWN,
  };
  // A source that is not known yet decides when it is.
  const isOpen = config.backend === null && isUnknown(wanted.backend);
  const { identity, expected }: CheckedCreation =
    context === null ? { identity: UNKNOWN } : await checkCreation(context, wanted, request.private, isOpen);
  return {
    planned: { ...wanted, claimed: true, migration: null, backend_identity: identity },
    replace: [],
    private: request.private,
    ...(expected === undefined ? {} : { expected: { backend: expected } }),
  };
}

function plannedBytes(size: VolumePlan["size"], prior: VolumeState | null): VolumePlan["size_bytes"] {
  if (isUnknown(size)) return UNKNOWN;
  // A volume that was found may have any number of bytes: unchanged is unchanged.
  return prior !== null && size === prior.size ? prior.size_bytes : gibToBytes(size);
}

async function planChange(
  context: HookContext | null,
  request: PlanRequest<VolumeAttributes>,
  shared: VolumePlan,
  prior: VolumeState,
): Promise<PlanResponse<VolumeAttributes>> {
  const { config } = request;
  const replace = [...request.replace];
  let planned = shared;
  if (config.name === null && !valuesEqual(config.name_prefix, prior.name_prefix)) {
    planned = { ...planned, name: UNKNOWN };
  }
  let moves = false;
  if (backendChanges(context, planned.backend, prior)) {
    if (planned.on_backend_change === "replace") replace.push(["backend"]);
    else if (planned.on_backend_change === "migrate" && !isUnclaimed(prior)) moves = true;
    else throw refusedBackendChange(planned.backend, prior);
  }
  if (sourceChanges(context, planned.source, prior.source)) {
    if (planned.on_source_change === "replace") replace.push(["source"]);
    else if (planned.on_source_change !== "keep") throw refusedSourceChange(prior);
  }
  if (
    !isUnknown(planned.provisioning) &&
    planned.provisioning !== prior.provisioning &&
    replace.length === 0 &&
    !moves
  ) {
    throw refusedProvisioningChange(prior);
  }
  if (!isUnknown(planned.size_bytes) && planned.size_bytes < prior.size_bytes && replace.length === 0) {
    throw shrinks({ name: prior.name, sizeBytes: prior.size_bytes }, planned.size_bytes);
  }
  if (isUnclaimed(prior)) planned = await planClaim(context, planned, prior);
  else if (replace.length > 0) refuseProtected(prior);
  if (context !== null) {
    const { backend } = holderOf(context, prior);
    if ((await isBeingDeleted(backend, "volume", prior.id)) && !(await isElsewhere(context, prior))) {
      // Its data is gone: what was begun is finished, and a new volume comes to its place.
      planned = { ...planned, id: UNKNOWN };
      replace.push(["id"]);
    }
    const keepsName = replace.length === 0 && !isUnknown(planned.name) ? planned.name : null;
    await claimForHeld(context, backend, "volume", prior.name, keepsName);
    if (replace.length === 0) {
      if (!moves) checkClearing(backend, planned);
      if (moves || prior.migration !== null) refuseRestoreWithMove(prior, planned);
      await planRestore(context, backend, prior, planned, request.private);
      // It is finished or taken back, whatever else is planned; until then it may stand in another place.
      if (await isHalfRestored(backend, prior)) {
        planned = { ...planned, provider_location: UNKNOWN, device_path: UNKNOWN };
      }
      const target = isUnknown(planned.backend) ? backend : backendOf(context, planned.backend);
      await checkWishes(moves ? target : backend, prior, planned);
      if (!moves) await checkGrowth(context, backend, prior, planned);
    }
  }
  if (moves && replace.length === 0) {
    planned = await planMove(context, planned, prior, request.config.provisioning);
    if (context !== null && !isUnknown(planned.backend)) {
      checkClearing(backendOf(context, planned.backend), planned);
    }
  }
  // What is left of an interrupted move is ended, whatever else is planned.
  planned = { ...planned, migration: null };
  // Replacing may also be the user's own wish: what is planned next may then be the creation of the replacement.
  const imported = isImported(request.private) ? importedPrivate : {};
  return { planned, replace, private: { ...imported, replaces: parseObjectId(prior.id, "id").uuid } };
}

function backendOf(context: HookContext, reference: string): Backend {
  return context.fleet.backend(parseBackendReference(reference).name, ["backend"]);
}

/** Whether what is being deleted is what a move has left. */
async function isElsewhere(context: HookContext, prior: VolumeState): Promise<boolean> {
  return (await follow(context, prior))?.backend !== holderOf(context, prior).backend;
}

/** A backend that was renamed, with its old name among the aliases, is the same backend. */
export function backendChanges(
  context: HookContext | null,
  planned: VolumePlan["backend"],
  prior: VolumeState,
): boolean {
  if (isUnknown(planned)) return true;
  if (planned === prior.backend) return false;
  const wanted = parseBackendReference(planned);
  const current = parseBackendReference(prior.backend);
  const samePool = wanted.pool === null || wanted.pool === prior.pool;
  const sameBackend =
    wanted.name === current.name ||
    context?.fleet.backend(wanted.name, ["backend"]).answersTo(current.name) === true;
  return !(sameBackend && samePool);
}
