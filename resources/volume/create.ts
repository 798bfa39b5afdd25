import {
  type Backend,
  createVolume,
  describeRejections,
  eligible,
  formatObjectId,
  hasName,
  isPassedOver,
  isResumable,
  nameTaken,
  PlannedSpace,
  requestOf,
  type VolumeDemand,
} from "../../src/backend/index.ts";
import { isStorageError, StorageError } from "../../src/contract/index.ts";
import { place, type Rejection } from "../../src/scheduler/index.ts";
import { identityOf, keepingPartialState, parseBackendReference } from "../common/objects.ts";
import { gibToBytes } from "../common/sizes.ts";
import { type HookContext, isUnknown, type PrivateData, settled } from "../schema/index.ts";
import { type VolumePlan, type VolumeState, type Written, writtenNames } from "./attributes.ts";
import { checkAbilities } from "./creation-check.ts";
import { demandOf, wishesOf } from "./demand.ts";
import { imageIn, sourceOf } from "./source.ts";
import { creationKey, pinOf } from "./space.ts";
import { settingsOf, stateOf } from "./state.ts";

/** Makes a volume on the backend that the plan names, or on the best that has room for it now. */
export async function create(
  context: HookContext,
  planned: VolumePlan,
  privateData: PrivateData,
): Promise<VolumeState> {
  const written = settled(planned, writtenNames);
  const replaced = privateData["replaces"];
  // Wherever it is: what is replaced must not be taken for unfinished work.
  if (typeof replaced === "string") for (const { known } of context.fleet.backends) known.add(replaced);
  if (isUnknown(planned.backend)) return createAnywhere(context, planned, written);
  const { name, pool } = parseBackendReference(planned.backend);
  const backend = context.fleet.backend(name, ["backend"]);
  if (!isUnknown(planned.backend_identity)) await backend.listingOf(planned.backend_identity);
  const state = await createOn(context, backend, pool, planned, written);
  return { ...state, backend: planned.backend };
}

/** Tries the backends that fit in their order, each under its lock with what is measured then. */
async function createAnywhere(
  context: HookContext,
  planned: VolumePlan,
  written: Written,
): Promise<VolumeState> {
  const space = context.plannedSpace ?? new PlannedSpace();
  const demand = await demandOf(context, planned, gibToBytes(settled(planned, ["size"]).size));
  const found = space.take(creationKey(planned, demand).key);
  const { backends, rejected } = await ranked(context, space, demand, planned, found?.backend);
  for (const backend of backends) {
    try {
      const state = await createOn(context, backend, null, planned, written);
      found?.moveTo(backend.name);
      return state;
    } catch (error) {
      // Somebody else took the room meanwhile. Anything else is no reason to make the volume elsewhere.
      if (!isStorageError(error, "NoValidBackend")) throw error;
      rejected.push({ backend: backend.name, pool: null, reason: error.reason });
    }
  }
  throw new StorageError({
    kind: "NoValidBackend",
    action: demand.action,
    reason: `It fits on none of the backends:${describeRejections(rejected)}`,
    nextStep: "Make the volume smaller, ask for less, or add a backend or room to one",
    attribute: ["size"],
  });
}

/** The backends for a volume: where a killed run began it, else where the plan found room, then the others, the best first. */
async function ranked(
  context: HookContext,
  space: PlannedSpace,
  demand: VolumeDemand,
  planned: VolumePlan,
  first: string | undefined,
): Promise<{ readonly backends: readonly Backend[]; readonly rejected: Rejection[] }> {
  const { name } = planned;
  const backends = context.fleet.backends.filter((backend) => isAble(context, backend, planned));
  if (!isUnknown(name)) {
    const begun = await findBegun(backends, name);
    if (begun !== undefined) return { backends: [begun], rejected: [] };
  }
  const candidates = await space.candidates(backends);
  const { ranked: fitting, rejected } = place(
    requestOf(demand),
    backends.flatMap((backend) =>
      eligible(
        candidates.filter((candidate) => candidate.backend === backend.name),
        demand,
        pinOf(backend),
      ),
    ),
  );
  const names = new Set([
    ...(first === undefined ? [] : [first]),
    ...fitting.map(({ candidate }) => candidate.backend),
  ]);
  return {
    backends: [...names].flatMap((wanted) => backends.filter((backend) => backend.name === wanted)),
    rejected: rejected.filter(({ backend }) => !names.has(backend)),
  };
}

function isAble(context: HookContext, backend: Backend, planned: VolumePlan): boolean {
  try {
    checkAbilities(context, backend, planned);
    return true;
  } catch (error) {
    if (!isStorageError(error, "NotSupported")) throw error;
    return false;
  }
}

/**
 * Where a create of this name was begun and not finished, or not heard of.
 *
 * @throws StorageError `AlreadyExists` where the name is taken: a volume that may be anywhere needs a name of its own everywhere
 */
async function findBegun(backends: readonly Backend[], name: string): Promise<Backend | undefined> {
  let begun: Backend | undefined;
  for (const backend of backends) {
    try {
      for (const record of (await backend.listing()).volumes.values()) {
        if (!hasName(backend, record, name)) continue;
        if (!isResumable(backend, record)) throw nameTaken(backend, record);
        begun ??= backend;
      }
    } catch (error) {
      if (!isPassedOver(backend, error)) throw error;
    }
  }
  return begun;
}

async function createOn(
  context: HookContext,
  backend: Backend,
  pool: string | null,
  planned: VolumePlan,
  written: Written,
): Promise<VolumeState> {
  const located = await sourceOf(context, written.source, backend);
  const source = located === null ? null : { kind: located.kind, id: located.id };
  const wishes = await wishesOf(context, planned);
  const record = await keepingPartialState(
    backend,
    planned,
    // What is unfinished is never protected: it holds no data, and could not be removed otherwise.
    (uuid) => ({
      id: formatObjectId({ backend: backend.name, uuid }),
      backend: isUnknown(planned.backend) ? backend.name : planned.backend,
      deletion_protection: false,
    }),
    () =>
      createVolume(
        backend,
        {
          name: written.name_prefix === null ? settled(planned, ["name"]).name : null,
          namePrefix: written.name_prefix,
          sizeBytes: isUnknown(planned.size) ? null : gibToBytes(planned.size),
          source,
          image: imageIn(written.source),
          pool,
          provisioning: isUnknown(planned.provisioning)
            ? (backend.driver.features.provisioning[0] ?? "thin")
            : planned.provisioning,
          multiattach: written.multiattach,
          labels: written.labels ?? {},
          defaultLabels: context.fleet.settings.defaultLabels,
          deletionProtection: isUnknown(planned.deletion_protection)
            ? context.fleet.settings.deletionProtection
            : planned.deletion_protection,
          settings: settingsOf(written),
          wishes,
        },
        context.signal,
      ),
  );
  backend.noteReturned(record.id);
  return stateOf(record, backend, await identityOf(backend), { ...written, backend: backend.name, id: null });
}
