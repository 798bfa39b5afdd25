import {
  type ExistingVolume,
  isStorageError,
  type ManageableListing,
  type ManageableVolume,
  type ManagesExisting,
  managesExisting,
  StorageError,
  type VolumeDriver,
  type VolumeRecord,
} from "../contract/index.ts";
import type { Backend } from "./backend.ts";
import { settleImages } from "./image-marks.ts";
import { requireOwn, requireUndamaged, requireUsable, requireWhole } from "./ownership.ts";
import { always, type Confirmation } from "./removal.ts";
import { goneVolume, requireDetached, requireFreeName, requireVolume, retainVolume } from "./volumes.ts";

/** What is written on a volume that others made, so that it is managed from then on. */
export type Adoption = Omit<ExistingVolume, "owner">;

/** What the runs of this process have found, until something was changed. */
const found = new WeakMap<Backend, Promise<ManageableListing>>();

/**
 * What others made on a backend's storage, with what stands against managing it. Nothing where the driver cannot manage
 * such volumes. Looked at once a run.
 */
export async function manageableVolumes(backend: Backend): Promise<ManageableListing> {
  await backend.ready();
  const { driver } = backend;
  if (!managesExisting(driver)) return { identity: (await backend.listing()).identity, volumes: [] };
  const known = found.get(backend);
  if (known !== undefined) return known;
  const listed = driver.listManageableVolumes({ executor: backend.host }).catch((error: unknown) => {
    found.delete(backend);
    throw isStorageError(error) ? error.with({ backend: backend.name, host: backend.host.host }) : error;
  });
  found.set(backend, listed);
  return listed;
}

/** One of them, by the id that it is going to have or by what the technology calls it; undefined where there is none. */
export async function findManageable(
  backend: Backend,
  wanted: { readonly id: string } | { readonly reference: string },
): Promise<ManageableVolume | undefined> {
  const { volumes } = await manageableVolumes(backend);
  return volumes.find((volume) =>
    "id" in wanted ? volume.id === wanted.id : volume.reference === wanted.reference,
  );
}

/** The refusal of what is not safe to manage. */
export function notSafe(backend: Backend, volume: ManageableVolume): StorageError {
  return new StorageError({
    kind: "VolumeIsBusy",
    action: `adopt ${volume.reference}`,
    reason: `It ${volume.reason_not_safe}`,
    nextStep: "Nothing was touched. Change that first, or leave it to whoever uses it",
    backend: backend.name,
    host: backend.host.host,
  });
}

/**
 * Takes a volume that others made under management. Writes our records and nothing else, under the lock, after a fresh look
 * has shown that it is still the one that was found, and that nobody uses it. What a killed run has adopted already only
 * gets these records.
 */
export async function adoptVolume(
  backend: Backend,
  adoption: Adoption,
  signal: AbortSignal | undefined,
): Promise<VolumeRecord> {
  const { id, name } = adoption;
  const manageable = await findManageable(backend, { id });
  await backend.establishIdentity();
  try {
    return await backend.exclusive(`adopt volume "${name}"`, signal, async (locked) => {
      requireUndamaged(backend, locked.fresh, "volume", id);
      const made = locked.fresh.volumes.get(id);
      if (made?.name !== name) requireFreeName(backend, name, locked);
      if (made !== undefined) {
        requireOwn(backend, "volume", made);
        const { labels, defaultLabels, deletionProtection, settings, multiattach } = adoption;
        const changes = { name, labels, defaultLabels, deletionProtection, settings, multiattach };
        return locked.fresh.keepVolume(await backend.driver.updateVolume(made, changes, locked));
      }
      if (manageable === undefined) throw gone(backend, adoption);
      const asked = { ...adoption, owner: backend.owner };
      const record = await requireManaging(backend, name).manageExisting(asked, manageable.reference, locked);
      backend.known.add(id);
      return locked.fresh.keepVolume(record);
    });
  } finally {
    found.delete(backend);
  }
}

/**
 * Gives an adopted volume back to those who made it: our records go, and everything else stays as it is. Not there any more
 * is success. In use: `VolumeIsBusy`, nothing touched.
 */
export async function giveBackVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
  confirm: Confirmation = always,
): Promise<void> {
  await backend.listingOf(identity);
  const action = `give back volume ${uuid}`;
  try {
    await backend.exclusive(action, signal, async (locked) => {
      await confirm(locked);
      requireWhole(backend, locked.fresh, "volume", uuid);
      if (!locked.fresh.volumes.has(uuid)) {
        // Killed between the two: what exported it may have stayed.
        await backend.target.removeExport(goneVolume(uuid), locked);
        return;
      }
      const record = requireVolume(backend, uuid, locked, "give back");
      requireUsable("give back", "volume", record);
      requireDetached(record, locked, `give back volume "${record.name}"`);
      const settled = await settleImages(backend, record, `give back volume "${record.name}"`, locked);
      await backend.target.removeExport(settled, locked);
      await requireManaging(backend, settled.name).unmanage(settled, locked);
      locked.fresh.volumes.delete(uuid);
    });
  } finally {
    found.delete(backend);
  }
}

/**
 * What deletion policy `retain` does: a volume that others made is given back to them as it was found; one that breezeblock
 * made stays, marked as retained.
 */
export async function leaveVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const record = (await backend.listingOf(identity)).volumes.get(uuid);
  const leave = record?.adoptedFrom === undefined ? retainVolume : giveBackVolume;
  await leave(backend, uuid, identity, signal);
}

function requireManaging(backend: Backend, name: string): VolumeDriver & ManagesExisting {
  const { driver } = backend;
  if (managesExisting(driver)) return driver;
  throw new StorageError({
    kind: "NotSupported",
    action: `manage volume "${name}"`,
    reason: `Technology ${driver.technology} cannot manage volumes that others made`,
    backend: backend.name,
  });
}

function gone(backend: Backend, { name, id }: Adoption): StorageError {
  return new StorageError({
    kind: "VolumeNotFound",
    action: `adopt volume "${name}" (${id})`,
    reason: "What was to be adopted is not there any more",
    nextStep: "Refresh the state, and import what is there now",
    backend: backend.name,
    host: backend.host.host,
  });
}
