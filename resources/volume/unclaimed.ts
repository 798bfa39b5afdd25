import {
  adoptVolume,
  type Backend,
  findManageable,
  findVolume,
  formatObjectId,
  giveBackVolume,
  hasName,
  isUuid,
  nameTaken,
  noteUnclaimed,
  notSafe,
  requireOwn,
  updateVolume,
} from "../../src/backend/index.ts";
import { type ManageableVolume, StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import { identityOf, locate, toleratesAbsence } from "../common/objects.ts";
import { bytesToGib } from "../common/sizes.ts";
import { type HookContext, isUnknown, PartialStateError, settled, UNKNOWN } from "../schema/index.ts";
import { type VolumePlan, type VolumeState, writtenNames } from "./attributes.ts";
import { changesBetween } from "./changes.ts";
import { settingDefaults, settingsOf, settingsOnHost, stateOf } from "./state.ts";

/*
 * A volume that others made, imported and not claimed yet: state knows it, nothing of ours is on it. The next apply claims
 * it. Its id is made of what the storage tells it by, so it is the same before and after.
 */

/** The storage of a directory that breezeblock has never written to; it gets its identity with the first volume. */
const noIdentity = "";

export function isUnclaimed({ claimed }: Pick<VolumeState, "claimed">): boolean {
  // State of an earlier version says nothing of it, and is of volumes that breezeblock made.
  return claimed === false;
}

/** State as the claim is going to leave it where the configuration says nothing else, but for `claimed`. */
export function unclaimedState(
  context: HookContext,
  backend: Backend,
  found: ManageableVolume,
  identity: string | null,
): VolumeState {
  const { deletionProtection, defaultLabels } = context.fleet.settings;
  return {
    id: formatObjectId({ backend: backend.name, uuid: found.id }),
    name: nameFor(found),
    name_prefix: null,
    backend: backend.name,
    availability_zone: null,
    requirements: null,
    scheduler_hints: null,
    source: null,
    volume_clear: null,
    restore: null,
    multiattach: false,
    deletion_protection: deletionProtection,
    labels: null,
    timeouts: null,
    ...settingDefaults,
    labels_all: defaultLabels,
    claimed: false,
    migration: null,
    ...seen(backend, found, identity),
  };
}

/** What the storage says of it. */
function seen(backend: Backend, found: ManageableVolume, identity: string | null) {
  return {
    size: bytesToGib(found.sizeBytes),
    size_bytes: found.sizeBytes,
    provisioning: found.provisioning,
    pool: found.pool,
    provider_location: found.location,
    device_path: backend.target.protocol === "local" ? found.location : null,
    backend_identity: identity ?? noIdentity,
    created_at: found.createdAt,
  };
}

/** The technology's name for it, as far as it can be one of ours. */
function nameFor({ reference, id }: ManageableVolume): string {
  const name = (reference.split("/").at(-1) ?? "")
    .replace(/[^A-Za-z0-9_.-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 63);
  return name === "" || isUuid(name.toLowerCase()) ? `adopted-${id.slice(0, 8)}` : name;
}

/** As it is now. Null where a healthy storage of the expected identity does not have it any more. */
export async function readUnclaimed(
  backend: Backend,
  uuid: string,
  state: VolumeState,
): Promise<VolumeState | null> {
  noteUnclaimed(backend, uuid);
  const claimed = await claimedRecord(backend, uuid, state);
  // A run that was killed has claimed it. What the configuration said then is kept on the host: state knows defaults alone,
  // and by those a destroy would delete what is to be given back.
  if (claimed !== undefined) {
    const kept = { ...(await settingsOnHost(claimed, backend)), id: state.id, backend: state.backend };
    return stateOf(claimed, backend, await identityOf(backend), kept);
  }
  const { identity } = await backend.listing();
  const found = await findManageable(backend, { id: uuid });
  if (found !== undefined) return { ...state, ...seen(backend, found, identity) };
  if (identity !== null) return null;
  throw new StorageError({
    kind: "BackendIdentityMismatch",
    action: `read the imported volume "${state.name}"`,
    reason: "It is not there, and the storage has no identity by which it could be told from another",
    nextStep:
      "Mount the right storage; or take the volume out of the state (state rm), which changes nothing on the host",
    backend: backend.name,
    host: backend.host.host,
  });
}

async function claimedRecord(
  backend: Backend,
  uuid: string,
  state: VolumeState,
): Promise<VolumeRecord | undefined> {
  if (state.backend_identity !== noIdentity) return findVolume(backend, uuid, state.backend_identity);
  const { identity } = await backend.listing();
  return identity === null ? undefined : findVolume(backend, uuid, identity);
}

/** The plan of the claim, with all else that changes; refused where it can be seen to fail. */
export async function planClaim(
  context: HookContext | null,
  planned: VolumePlan,
  prior: VolumeState,
): Promise<VolumePlan> {
  if (context !== null) await checkClaim(context, planned, prior);
  return {
    ...planned,
    claimed: true,
    backend_identity: prior.backend_identity === noIdentity ? UNKNOWN : prior.backend_identity,
  };
}

async function checkClaim(context: HookContext, planned: VolumePlan, prior: VolumeState): Promise<void> {
  const { backend, uuid } = locate(context, prior.id, "id");
  noteUnclaimed(backend, uuid);
  try {
    const found = await findManageable(backend, { id: uuid });
    if (found?.safe_to_manage === false) throw notSafe(backend, found);
    const { volumes } = await backend.listing();
    const { name } = planned;
    if (isUnknown(name)) return;
    const namesake = [...volumes.values()].find(
      (record) => record.id !== uuid && hasName(backend, record, name),
    );
    if (namesake !== undefined) throw nameTaken(backend, namesake);
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

/**
 * Claims it, with the metadata that is planned; then grows it, where that is planned.
 *
 * @throws PartialStateError where it is claimed and could not be grown
 */
export async function claim(
  context: HookContext,
  prior: VolumeState,
  planned: VolumePlan,
): Promise<VolumeState> {
  const { backend, uuid } = locate(context, prior.id, "id");
  const written = settled(planned, writtenNames);
  const { name = prior.name, sizeBytes, ...changes } = changesBetween(context, prior, planned, written);
  const adopted = await adoptVolume(
    backend,
    {
      id: uuid,
      name,
      sizeBytes: prior.size_bytes,
      provisioning: prior.provisioning === "thick" ? "thick" : "thin",
      createdAt: prior.created_at,
      labels: changes.labels ?? {},
      defaultLabels: changes.defaultLabels ?? {},
      deletionProtection: changes.deletionProtection ?? false,
      multiattach: written.multiattach,
      settings: settingsOf(written),
    },
    context.signal,
  );
  const identity = await identityOf(backend);
  backend.noteReturned(uuid);
  const stateAs = (record: VolumeRecord) =>
    stateOf(record, backend, identity, {
      ...written,
      backend: settled(planned, ["backend"]).backend,
      id: prior.id,
    });
  if (sizeBytes === undefined) return stateAs(adopted);
  try {
    return stateAs(await updateVolume(backend, uuid, identity, { sizeBytes }, context.signal));
  } catch (error) {
    throw new PartialStateError(stateAs(adopted), error);
  }
}

/** Nothing of ours is on it, so there is nothing to delete; what a killed run has claimed is given back. */
export async function forgetUnclaimed(context: HookContext, state: VolumeState): Promise<void> {
  const { backend, uuid } = locate(context, state.id, "id");
  const claimed = await claimedRecord(backend, uuid, state);
  if (claimed === undefined) return;
  requireOwn(backend, "volume", claimed);
  await giveBackVolume(backend, uuid, await identityOf(backend), context.signal);
}
