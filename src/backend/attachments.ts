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
import { HalfMadeError, isInterruption, isResumable, requireWhole } from "./ownership.ts";
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
}

/**
 * CON-1 to CON-3, ATT-1: grants access and records it, or resumes what a killed create left behind.
 *
 * @throws HalfMadeError when something was left on the host that a later detach has to remove
 */
export async function attach(
  backend: Backend,
  request: AttachmentRequest,
  signal: AbortSignal | undefined,
): Promise<GrantedAttachment> {
  backend.target.validateConnector(request.connector);
  const copies = () =>
    request.mode === "rw" ? backend.ownCopies.ended(request.volumeId, signal) : undefined;
  const attempt: Attempt = { made: undefined, isRecorded: false };
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
  attempt.made = attachment.id;
  // Recorded before access is granted: what is granted is always on record, and can be revoked by it.
  const recorded = locked.fresh.keepVolume(await backend.driver.attachVolume(volume, attachment, locked));
  attempt.isRecorded = true;
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

/** CON-4, ATT-1. Already gone is success, given the expected identity; `volumeId` as for `findAttachment`. */
export async function detach(
  backend: Backend,
  uuid: string,
  identity: string,
  volumeId: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await backend.listingOf(identity);
  await backend.exclusive(`detach attachment ${uuid}`, signal, async (locked) => {
    requireWhole(backend, locked.fresh, "volume", volumeId);
    const found = locked.fresh.volumeOfAttachment(uuid);
    if (found === undefined) return;
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
