import { randomUUID } from "node:crypto";
import {
  type AccessMode,
  type Attachment,
  type ConnectionInfo,
  type Connector,
  StorageError,
  type VolumeRecord,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { isResumable, requireWhole } from "./ownership.ts";
import { requireVolume } from "./volumes.ts";

/** An attachment as it stands on the storage side. */
export interface AttachmentState {
  readonly volume: VolumeRecord;
  readonly attachment: Attachment;
}

/** What a consumer is told when access was granted. */
export interface GrantedAttachment extends AttachmentState {
  readonly connection: ConnectionInfo;
}

/** An attachment by id, or `undefined` when it is certain that there is none. Answered from the run's listing. */
export async function findAttachment(
  backend: Backend,
  uuid: string,
  identity: string,
): Promise<AttachmentState | undefined> {
  const listing = await backend.listingOf(identity);
  const volume = listing.volumeOfAttachment(uuid);
  const attachment = volume?.attachments.find(({ id }) => id === uuid);
  return volume === undefined || attachment === undefined ? undefined : { volume, attachment };
}

/** Who wants access to which volume, and how. */
export interface AttachmentRequest {
  readonly volumeId: string;
  readonly connector: Connector;
  readonly mode: AccessMode;
}

/** CON-1 to CON-3, ATT-1: grants access and records it, or resumes what a killed create left behind. */
export async function attach(
  backend: Backend,
  request: AttachmentRequest,
  signal: AbortSignal | undefined,
): Promise<GrantedAttachment> {
  backend.target.validateConnector(request.connector);
  const copies = () =>
    request.mode === "rw" ? backend.ownCopies.ended(request.volumeId, signal) : undefined;
  for (;;) {
    // Copies begin under the lock, so that none begins between the look and the attaching.
    const granted = await backend.exclusive(`attach volume ${request.volumeId}`, signal, async (locked) =>
      copies() === undefined ? grant(backend, request, locked) : undefined,
    );
    if (granted !== undefined) return granted;
    await copies();
  }
}

async function grant(
  backend: Backend,
  request: AttachmentRequest,
  locked: LockedBackend,
): Promise<GrantedAttachment> {
  const volume = requireVolume(backend, request.volumeId, locked, "attach");
  requireAttachable(volume);
  const resumed = volume.attachments.find(
    (candidate) =>
      isResumable(backend, { ...volume, id: candidate.id, phase: candidate.phase }) &&
      candidate.mode === request.mode &&
      sameConnector(candidate.connector, request.connector),
  );
  if (resumed === undefined) requireRoom(volume);
  const attachment: Attachment = resumed ?? {
    id: randomUUID(),
    connector: request.connector,
    mode: request.mode,
    phase: "unacknowledged",
    attachedAt: new Date().toISOString(),
  };
  backend.known.add(attachment.id);
  // Recorded before access is granted: what is granted is always on record, and can be revoked by it.
  const recorded = locked.fresh.keepVolume(await backend.driver.attachVolume(volume, attachment, locked));
  try {
    await backend.target.ensureExport(recorded, locked);
    const connection = await backend.target.initializeConnection(
      recorded,
      attachment.connector,
      attachment.mode,
      locked,
    );
    return { volume: recorded, attachment, connection };
  } catch (error) {
    await revoke(backend, recorded, attachment, locked);
    throw error;
  }
}

/** CON-4, ATT-1. Already gone is success, given the expected identity. */
export async function detach(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await backend.listingOf(identity);
  await backend.exclusive(`detach attachment ${uuid}`, signal, async (locked) => {
    const found = locked.fresh.volumeOfAttachment(uuid);
    if (found === undefined) {
      // A damaged volume may hold it: then it is not known to be gone.
      for (const { id, kind } of locked.fresh.damaged.values()) requireWhole(backend, locked.fresh, kind, id);
      return;
    }
    const volume = requireVolume(backend, found.id, locked, "detach");
    const attachment = volume.attachments.find(({ id }) => id === uuid);
    if (attachment !== undefined) await revoke(backend, volume, attachment, locked);
  });
}

/** How a consumer reaches a volume that is attached already; CON-2: the same answer as the first time. */
export async function connectionOf(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<GrantedAttachment> {
  await backend.listingOf(identity);
  return backend.exclusive(`read attachment ${uuid}`, signal, async (locked) => {
    const volume = locked.fresh.volumeOfAttachment(uuid);
    const attachment = volume?.attachments.find(({ id }) => id === uuid);
    if (volume === undefined || attachment === undefined) {
      throw new StorageError({
        kind: "AttachmentNotFound",
        action: `read attachment ${uuid}`,
        reason: "There is no such attachment on this backend",
      });
    }
    const connection = await backend.target.initializeConnection(
      volume,
      attachment.connector,
      attachment.mode,
      locked,
    );
    return { volume, attachment, connection };
  });
}

async function revoke(
  backend: Backend,
  volume: VolumeRecord,
  attachment: Attachment,
  locked: LockedBackend,
): Promise<void> {
  const shared = volume.attachments.some(
    ({ id, connector }) => id !== attachment.id && sameConnector(connector, attachment.connector),
  );
  if (!shared) await backend.target.terminateConnection(volume, attachment.connector, locked);
  locked.fresh.keepVolume(await backend.driver.detachVolume(volume, attachment.id, locked));
}

function requireAttachable(volume: VolumeRecord): void {
  if (volume.phase !== "creating") return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `attach volume "${volume.name}"`,
    reason: "The volume is not finished yet",
  });
}

function requireRoom(volume: VolumeRecord): void {
  const [first] = volume.attachments;
  if (first === undefined || volume.multiattach) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `attach volume "${volume.name}"`,
    reason: `It is attached to "${first.connector.host ?? first.connector.initiator ?? first.connector.nqn ?? ""}" already (attachment ${first.id})`,
    nextStep:
      "Destroy that attachment first, or set multiattach = true on the volume if its consumers can share it",
    attribute: ["volume_id"],
  });
}

/** Connectors mean the same consumer when everything they say is the same. */
export function sameConnector(a: Connector, b: Connector): boolean {
  return a.host === b.host && a.initiator === b.initiator && a.nqn === b.nqn && a.ip === b.ip;
}
