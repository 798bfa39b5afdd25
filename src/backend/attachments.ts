import { randomUUID } from "node:crypto";
import {
  type AccessMode,
  type Attachment,
  type ConnectionCredentials,
  type ConnectionInfo,
  type Connector,
  StorageError,
  type VolumeRecord,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { newRun } from "./creation-runs.ts";
import { settleImages } from "./image-marks.ts";
import { HalfMadeError, isInterruption, isResumable, requireUsable, requireWhole } from "./ownership.ts";
import { always, type Confirmation } from "./removal.ts";
import { goneVolume, requireVolume } from "./volumes.ts";

/** An attachment as it stands on the storage side. */
export interface AttachmentState {
  readonly volume: VolumeRecord;
  readonly attachment: Attachment;
}

/** What a consumer is told when access was granted. */
export interface GrantedAttachment extends AttachmentState {
  readonly connection: ConnectionInfo;
  readonly credentials: ConnectionCredentials | null;
}

/**
 * An attachment by id, or `undefined` when it is certain that there is none. Answered from the run's listing.
 *
 * @param volumeId the volume that it is of, where that is known: what a damaged volume holds is not known to be gone
 */
export async function findAttachment(
  backend: Backend,
  uuid: string,
  identity: string,
  volumeId?: string,
): Promise<AttachmentState | undefined> {
  const listing = await backend.listingOf(identity);
  if (volumeId !== undefined) requireWhole(backend, listing, "volume", volumeId);
  const volume = listing.volumeOfAttachment(uuid);
  const attachment = volume?.attachments.find(({ id }) => id === uuid);
  return volume === undefined || attachment === undefined ? undefined : { volume, attachment };
}

/** Who wants access to which volume, and how. */
export interface AttachmentRequest {
  readonly volumeId: string;
  readonly connector: Connector;
  readonly mode: AccessMode;
  /** The consumer is to have a file system on it, which bears no other user. Default `false`. */
  readonly hasFilesystem?: boolean | undefined;
}

/**
 * CON-1 to CON-3, EXP-1, ATT-1: records an attachment, exports the volume and grants access, or resumes what a killed
 * create left behind.
 *
 * @throws HalfMadeError when something was left on the host that a later revocation has to remove
 */
export async function attach(
  backend: Backend,
  request: AttachmentRequest,
  signal: AbortSignal | undefined,
): Promise<GrantedAttachment> {
  backend.target.validateConnector(request.connector);
  await backend.targetReady();
  const copies = () =>
    request.mode === "rw" ? backend.ownCopies.ended(request.volumeId, signal) : undefined;
  const attempt: Attempt = { run: newRun(), made: undefined, isRecorded: false };
  for (;;) {
    // Copies begin under the lock, so that none begins between the look and the attaching.
    const granted = await backend
      .exclusive(`attach volume ${request.volumeId}`, signal, async (locked) =>
        copies() === undefined ? grant(backend, request, attempt, locked) : undefined,
      )
      .catch((error: unknown) => {
        const { made, isRecorded } = attempt;
        throw made !== undefined && (isRecorded || isInterruption(error))
          ? new HalfMadeError(made, error)
          : error;
      });
    if (granted !== undefined) return granted;
    await copies();
  }
}

/** How far an attempt to attach came. */
interface Attempt {
  readonly run: string;
  /** The attachment's id, once it may be on the host. */
  made: string | undefined;
  /** It is certain to be there. */
  isRecorded: boolean;
}

async function grant(
  backend: Backend,
  request: AttachmentRequest,
  attempt: Attempt,
  locked: LockedBackend,
): Promise<GrantedAttachment> {
  const found = requireVolume(backend, request.volumeId, locked, "attach");
  requireUsable("attach", "volume", found);
  const volume =
    request.mode === "rw"
      ? await settleImages(backend, found, `attach volume "${found.name}"`, locked)
      : found;
  const resumed = volume.attachments.find(
    (candidate) =>
      isResumable(backend, { ...volume, id: candidate.id, phase: candidate.phase }) &&
      candidate.mode === request.mode &&
      sameConnector(candidate.connector, request.connector),
  );
  if (resumed === undefined) requireRoom(volume);
  requireSoleUser(volume, resumed?.id, request);
  requireOneMode(backend, volume, resumed?.id, request);
  requireOneMount(backend, volume, resumed?.id, request);
  const attachment: Attachment = {
    ...(resumed ?? {
      id: randomUUID(),
      connector: request.connector,
      mode: request.mode,
      phase: "unacknowledged",
      attachedAt: new Date().toISOString(),
    }),
    // What was resumed is this run's from here on, and no other one takes it back.
    run: attempt.run,
  };
  backend.known.add(attachment.id);
  attempt.made = attachment.id;
  // Recorded before access is granted: what is granted is always on record, and can be revoked by it.
  const recorded = locked.fresh.keepVolume(await backend.driver.attachVolume(volume, attachment, locked));
  attempt.isRecorded = true;
  try {
    return await giveAccess(backend, { volume: recorded, attachment }, locked);
  } catch (error) {
    await revoke(backend, recorded, attachment, locked).then(
      () => {
        attempt.isRecorded = false;
        attempt.made = undefined;
      },
      () => undefined,
    );
    throw error;
  }
}

/** Makes a recorded attachment's access whole, whatever is missing of it. CON-2: the same answer as the first time. */
export async function ensureAccess(
  backend: Backend,
  uuid: string,
  identity: string,
  request: Pick<AttachmentRequest, "hasFilesystem">,
  signal: AbortSignal | undefined,
): Promise<GrantedAttachment> {
  await backend.listingOf(identity);
  await backend.targetReady();
  return backend.exclusive(`restore attachment ${uuid}`, signal, async (locked) => {
    const found = requireAttachment(uuid, locked);
    const volume = requireVolume(backend, found.volume.id, locked, "attach");
    requireUsable("attach", "volume", volume);
    const { mode } = found.attachment;
    requireSoleUser(volume, uuid, { mode, hasFilesystem: request.hasFilesystem });
    return giveAccess(backend, found, locked);
  });
}

/**
 * How a consumer reaches a volume that is attached already, and what it logs in with. Changes nothing.
 *
 * @throws StorageError `AttachmentNotFound`, or `VolumeBackendError` when access is not granted at present
 */
export async function connectionOf(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<GrantedAttachment> {
  await backend.listingOf(identity);
  await backend.targetReady();
  return backend.exclusive(`read attachment ${uuid}`, signal, async (locked) => {
    const found = requireAttachment(uuid, locked);
    const fault = await accessFault(backend, found);
    if (fault === undefined) return connectionInfoOf(backend, found, locked);
    throw new StorageError({
      kind: "VolumeBackendError",
      action: `read how attachment ${uuid} is connected`,
      reason: `Its access is not whole on the storage side: ${fault}`,
      nextStep: "Apply: that restores it",
    });
  });
}

/** What the storage side lacks of an attachment, in words, as it was last listed; `undefined` when nothing does. */
export async function accessFault(
  backend: Backend,
  { volume, attachment }: AttachmentState,
): Promise<string | undefined> {
  // What is used on its own host needs no export.
  if (backend.target.protocol === "local") return undefined;
  const found = (await backend.exports()).get(volume.id);
  if (found === undefined) return "not exported";
  if (found.fault !== null) return found.fault;
  const granted = found.granted.get(backend.target.initiatorOf(attachment.connector));
  if (granted === undefined) return "access missing";
  if (granted !== attachment.mode) return `access in mode ${granted}`;
  return found.sizeBytes !== null && found.sizeBytes < volume.sizeBytes
    ? "exported smaller than the volume"
    : undefined;
}

/** CON-4, CON-5, EXP-1, ATT-1: takes access back. Already gone is success; `volumeId` as for `findAttachment`. */
export async function detach(
  backend: Backend,
  uuid: string,
  identity: string,
  volumeId: string,
  signal: AbortSignal | undefined,
  confirm: Confirmation = always,
): Promise<void> {
  await backend.listingOf(identity);
  await backend.exclusive(`detach attachment ${uuid}`, signal, async (locked) => {
    await confirm(locked);
    requireWhole(backend, locked.fresh, "volume", volumeId);
    const found = locked.fresh.volumeOfAttachment(uuid);
    if (found === undefined) {
      // A volume that vanished has no attachments, but what exported it may have stayed.
      if (!locked.fresh.volumes.has(volumeId)) {
        await backend.target.removeExport(goneVolume(volumeId), locked);
      }
      return;
    }
    const volume = requireVolume(backend, found.id, locked, "detach");
    const attachment = volume.attachments.find(({ id }) => id === uuid);
    if (attachment !== undefined) await revoke(backend, volume, attachment, locked);
  });
}

/**
 * Whether another attachment of the volume is of the same consumer, and keeps its connection. What the target knows consumers
 * by is what counts: a host name may have been left out, or have changed since.
 */
export function isShared(
  { target }: Backend,
  volume: VolumeRecord,
  uuid: string,
  connector: Connector,
): boolean {
  const initiator = target.initiatorOf(connector);
  return volume.attachments.some(
    (other) => other.id !== uuid && target.initiatorOf(other.connector) === initiator,
  );
}

async function giveAccess(
  backend: Backend,
  found: AttachmentState,
  locked: LockedBackend,
): Promise<GrantedAttachment> {
  backend.exportsChanged();
  await backend.driver.activateVolume(found.volume, locked);
  return connectionInfoOf(backend, found, locked);
}

async function connectionInfoOf(
  backend: Backend,
  { volume, attachment }: AttachmentState,
  locked: LockedBackend,
): Promise<GrantedAttachment> {
  const { connector, mode } = attachment;
  const connection = await backend.target.initializeConnection(volume, connector, mode, locked);
  const credentials = await backend.target.credentials(volume, connector, locked);
  return { volume, attachment, connection, credentials };
}

/** The record goes last: what is granted or exported is always on record, and a broken revocation can be repeated. */
async function revoke(
  backend: Backend,
  volume: VolumeRecord,
  attachment: Attachment,
  locked: LockedBackend,
): Promise<void> {
  backend.exportsChanged();
  const isLast = volume.attachments.every(({ id }) => id === attachment.id);
  if (isLast) {
    await backend.target.terminateConnection(volume, null, locked);
    await backend.target.removeExport(volume, locked);
  } else if (!isShared(backend, volume, attachment.id, attachment.connector)) {
    await backend.target.terminateConnection(volume, attachment.connector, locked);
  }
  locked.fresh.keepVolume(await backend.driver.detachVolume(volume, attachment.id, locked));
}

function requireAttachment(uuid: string, locked: LockedBackend): AttachmentState {
  const volume = locked.fresh.volumeOfAttachment(uuid);
  const attachment = volume?.attachments.find(({ id }) => id === uuid);
  if (volume !== undefined && attachment !== undefined) return { volume, attachment };
  throw new StorageError({
    kind: "AttachmentNotFound",
    action: `use attachment ${uuid}`,
    reason: "There is no such attachment on this backend",
    nextStep: "Refresh the state; an attachment that was removed behind its back is then planned anew",
  });
}

function requireRoom(volume: VolumeRecord): void {
  const [first] = volume.attachments;
  if (first === undefined || volume.multiattach) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `attach volume "${volume.name}"`,
    reason: `It is attached to ${describeConsumer(first)} already`,
    nextStep:
      "Destroy that attachment first, or set multiattach = true on the volume if its consumers can share it",
    attribute: ["volume_id"],
  });
}

/**
 * ext4 and xfs are for one machine at a time: two that write destroy what is on it. The record counts, whatever each
 * consumer does at the moment.
 */
function requireSoleUser(
  volume: VolumeRecord,
  own: string | undefined,
  { mode, hasFilesystem = false }: Pick<AttachmentRequest, "mode" | "hasFilesystem">,
): void {
  if (!hasFilesystem && !volume.formatted) return;
  const others = volume.attachments.filter(({ id }) => id !== own);
  const [first] = others;
  if (first === undefined || (mode === "ro" && others.every((other) => other.mode === "ro"))) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `attach volume "${volume.name}" in mode ${mode}`,
    reason: `${hasFilesystem ? "It is to be mounted" : "It holds a file system"}, which only one machine at a time can use, and it is attached to ${describeConsumer(first)} too`,
    nextStep: "Destroy that attachment first, or give all attachments of the volume mode ro",
    attribute: ["volume_id"],
  });
}

/** A target knows one mode a consumer: a second attachment in another would change it for the first. */
function requireOneMode(
  { target }: Backend,
  volume: VolumeRecord,
  own: string | undefined,
  { connector, mode }: Pick<AttachmentRequest, "connector" | "mode">,
): void {
  if (target.protocol === "local") return;
  const initiator = target.initiatorOf(connector);
  const other = volume.attachments.find(
    (candidate) =>
      candidate.id !== own &&
      candidate.mode !== mode &&
      target.initiatorOf(candidate.connector) === initiator,
  );
  if (other === undefined) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `attach volume "${volume.name}" in mode ${mode}`,
    reason: `The same consumer has it in mode ${other.mode} already (attachment ${other.id})`,
    nextStep: "Give both attachments the same mode, or destroy that one first",
    attribute: ["mode"],
  });
}

/** A consumer mounts a volume in one place: of two mounts each would take the other for somebody's drift. */
function requireOneMount(
  { target }: Backend,
  volume: VolumeRecord,
  own: string | undefined,
  { connector, hasFilesystem = false }: Pick<AttachmentRequest, "connector" | "hasFilesystem">,
): void {
  if (!hasFilesystem) return;
  const initiator = target.initiatorOf(connector);
  const other = volume.attachments.find(
    (candidate) => candidate.id !== own && target.initiatorOf(candidate.connector) === initiator,
  );
  if (other === undefined) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `mount volume "${volume.name}"`,
    reason: `The same consumer has it by another attachment already (${other.id})`,
    nextStep: "Use that attachment, with a bind mount where the files are needed in another place too",
    attribute: ["filesystem"],
  });
}

function describeConsumer({ id, connector }: Attachment): string {
  const { host, initiator, nqn, ip } = connector;
  return `"${host ?? initiator ?? nqn ?? ip ?? ""}" (attachment ${id})`;
}

/** Connectors mean the same consumer when everything they say is the same. */
export function sameConnector(a: Connector, b: Connector): boolean {
  return a.host === b.host && a.initiator === b.initiator && a.nqn === b.nqn && a.ip === b.ip;
}
