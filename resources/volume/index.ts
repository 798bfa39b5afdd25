import {
  type Backend,
  deleteVolume,
  deleteVolumeAfterSnapshot,
  findVolume,
  formatObjectId,
  leaveRestore,
  leaveVolume,
  noteUnclaimed,
  parseObjectId,
  updateVolume,
} from "../../src/backend/index.ts";
import type { SnapshotRecord } from "../../src/contract/index.ts";
import {
  identityOf,
  objectIdentity,
  parseBackendReference,
  readTolerantly,
  warnIfUnfinished,
} from "../common/objects.ts";
import { claimForHeld } from "../common/planned-names.ts";
import { defineResource, type HookContext, settled } from "../schema/index.ts";
import { attributes, type VolumeAttributes, type VolumeState, writtenNames } from "./attributes.ts";
import { changesBetween } from "./changes.ts";
import { create } from "./create.ts";
import { importVolume } from "./import.ts";
import { move, settledPlace } from "./move.ts";
import { follow, holderOf } from "./place.ts";
import { backendChanges, plan } from "./plan.ts";
import { checkDeletionPolicy, refuseProtected, warnIfCut } from "./refusals.ts";
import { isRestored, restore, warnIfRestoring } from "./restore.ts";
import { placedOf } from "./space.ts";
import { stateOf } from "./state.ts";
import { claim, forgetUnclaimed, isUnclaimed, readUnclaimed } from "./unclaimed.ts";
import { validate } from "./validate.ts";

const minute = 60_000;

/** Nothing else names it: it is in no state. */
function tellOfLastSnapshot(
  context: HookContext,
  backend: Backend,
  { name, id: volumeId }: VolumeState,
  snapshot: SnapshotRecord,
): void {
  const id = formatObjectId({ backend: backend.name, uuid: snapshot.id });
  context.warn({
    summary: `The last snapshot of volume "${name}" is kept`,
    detail: `It is "${snapshot.name}" (${id}). A volume is made of it with source = { snapshot_id = "${id}" }. To delete it, import it as a snapshot with volume_id = "${volumeId}", the volume that is gone, and destroy that.`,
  });
}

/** `breezeblock_volume`: a block device's worth of storage on a backend. */
export const volume = defineResource<VolumeAttributes>({
  name: "volume",
  description: "A volume: block storage allocated on a backend.",
  version: 0,
  attributes,
  identity: objectIdentity,
  timeouts: { create: 60 * minute, read: 5 * minute, update: 60 * minute, delete: 20 * minute },

  validate,
  plan,

  async planDelete(context, prior) {
    if (context !== null) {
      await claimForHeld(context, holderOf(context, prior).backend, "volume", prior.name, null);
    }
    if (!isUnclaimed(prior)) refuseProtected(prior);
  },

  async read(context, state) {
    const { backend, uuid } = holderOf(context, state);
    return readTolerantly(context, backend, state, async () => {
      if (isUnclaimed(state)) return readUnclaimed(backend, uuid, state);
      await findVolume(backend, uuid, state.backend_identity);
      const place = await follow(context, state);
      if (place === undefined) return null;
      const { record } = place;
      warnIfUnfinished(context, "volume", record);
      warnIfRestoring(context, record);
      if (place.backend === backend) {
        warnIfCut(context, record, state);
        return stateOf(record, backend, state.backend_identity, state);
      }
      place.backend.known.add(uuid);
      const moved = { ...state, backend: place.backend.name };
      return stateOf(record, place.backend, await identityOf(place.backend), moved);
    });
  },

  create,

  async update(context, prior, planned, privateData) {
    if (isUnclaimed(prior)) return claim(context, prior, planned);
    const { backend, uuid } = holderOf(context, prior);
    if (prior.migration !== null || backendChanges(context, planned.backend, prior))
      return move(context, prior, planned);
    const written = settled(planned, writtenNames);
    const changes = changesBetween(context, prior, planned, written);
    if (await isRestored(backend, prior, written.restore, privateData)) {
      await restore(context, backend, uuid, prior.backend_identity, written);
    } else {
      await leaveRestore(backend, uuid, prior.backend_identity, context.signal);
    }
    const record = await updateVolume(backend, uuid, prior.backend_identity, changes, context.signal);
    return stateOf(record, backend, prior.backend_identity, {
      ...written,
      backend: settled(planned, ["backend"]).backend,
      id: prior.id,
    });
  },

  async delete(context, state) {
    if (isUnclaimed(state)) return forgetUnclaimed(context, state);
    checkDeletionPolicy(context, state);
    const { backend, identity } = await settledPlace(context, state);
    const { uuid } = parseObjectId(state.id, "id");
    switch (state.deletion_policy) {
      case "retain":
        return leaveVolume(backend, uuid, identity, context.signal);
      case "snapshot": {
        const last = await deleteVolumeAfterSnapshot(backend, uuid, identity, context.signal);
        // The snapshot takes as much of the backend as the volume did.
        if (last !== undefined) return tellOfLastSnapshot(context, backend, state, last);
        break;
      }
      default:
        await deleteVolume(backend, uuid, identity, context.signal);
    }
    context.plannedSpace?.release(placedOf(backend, state));
  },

  import: importVolume,

  noteState(fleet, state) {
    const id = parseObjectId(state.id, "id");
    const { name } = parseBackendReference(state.backend);
    const backend = fleet.backends.find((candidate) => candidate.answersTo(name));
    if (backend === undefined) return;
    if (isUnclaimed(state)) noteUnclaimed(backend, id.uuid);
    // Of storage that has no identity yet, no state can know one.
    if (state.backend_identity !== "") backend.noteState(id.uuid, state.backend_identity);
  },
});
