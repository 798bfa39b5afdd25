import {
  type Connector,
  type ConnectorDriver,
  type ConsumerDevice,
  type DeviceRequest,
  type FilesystemRequest,
  isStorageError,
  type MountState,
  type OperationContext,
  StorageError,
} from "../contract/index.ts";
import {
  type AttachmentRequest,
  attach,
  detach,
  ensureAccess,
  type GrantedAttachment,
  isShared,
} from "./attachments.ts";
import type { Backend } from "./backend.ts";
import { type Consumer, isAbsentConsumer } from "./consumers.ts";
import type { Listing } from "./listing.ts";
import { HalfMadeError, isInterruption, requireWhole } from "./ownership.ts";
import { type Confirmation, takenOver } from "./removal.ts";
import { requireVolume } from "./volumes.ts";

/** How a consumer is to have a volume. */
export interface Use {
  readonly consumer: Consumer;
  /** Several portals are logged in to. */
  readonly multipath: boolean;
  /** `null` leaves the device as it is. */
  readonly filesystem: FilesystemRequest | null;
}

/** A volume as its consumer has it. */
export interface AttachedVolume extends GrantedAttachment {
  readonly device: ConsumerDevice;
  readonly mount: MountState | null;
}

/**
 * Grants access, then logs the consumer in, makes the file system where that is safe, and mounts it. What fails half-way
 * is taken back, unless another run has taken it over.
 *
 * @throws HalfMadeError when something was left that a later detach has to remove
 */
export async function attachOnConsumer(
  backend: Backend,
  request: Omit<AttachmentRequest, "hasFilesystem">,
  use: Use,
  signal: AbortSignal | undefined,
): Promise<AttachedVolume> {
  const granted = await attach(backend, { ...request, hasFilesystem: use.filesystem !== null }, signal);
  try {
    return await connect(backend, granted, use, null, signal);
  } catch (error) {
    throw await takeBack(backend, granted, use, error);
  }
}

/** Whatever is missing of an attachment, on either side, is made whole; what has changed of its use is followed. */
export async function reattachOnConsumer(
  backend: Backend,
  uuid: string,
  identity: string,
  use: Use,
  previous: PreviousUse | null,
  signal: AbortSignal | undefined,
): Promise<AttachedVolume> {
  const hasFilesystem = use.filesystem !== null;
  const granted = await ensureAccess(backend, uuid, identity, { hasFilesystem }, signal);
  return connect(backend, granted, use, previous, signal);
}

/** What a consumer had of the volume before, as far as it matters to what comes. */
export interface PreviousUse {
  readonly multipath: boolean;
  /** Where it was mounted. */
  readonly mountPoint: string | null;
}

async function connect(
  backend: Backend,
  granted: GrantedAttachment,
  use: Use,
  previous: PreviousUse | null,
  signal: AbortSignal | undefined,
): Promise<AttachedVolume> {
  const { consumer, filesystem, multipath } = use;
  const { volume, connection, credentials } = granted;
  const driver = consumer.connector(connection.driver_volume_type);
  const request: DeviceRequest = {
    volumeId: volume.id,
    connection,
    credentials,
    multipath,
    sizeBytes: volume.sizeBytes,
  };
  return consumer.exclusive(`connect volume "${volume.name}"`, signal, async (context) => {
    if (previous !== null) await leaveBehind(granted, use, previous, context);
    let device = await connectDevice(driver, request, use, context);
    if (device.sizeBytes < volume.sizeBytes) device = await driver.extendVolume(request, context);
    if (filesystem === null) return { ...granted, device, mount: null };
    let isNew = false;
    const record = async (): Promise<void> => {
      await recordFormat(backend, granted, signal);
      isNew = true;
    };
    const format = mayFormat(granted) ? { record } : undefined;
    await consumer.filesystems.ensureFilesystem(device, filesystem, format, context);
    const mount = await consumer.filesystems.mount(device, filesystem, context);
    // The volume may have grown while it was attached nowhere, too.
    if (isNew || filesystem.access === "ro") return { ...granted, device, mount };
    return { ...granted, device, mount: await consumer.filesystems.grow(device, filesystem, context) };
  });
}

/**
 * A dead device that is still mounted keeps the living one away; nothing can be written to it any more. That is for the
 * connector to say (`VolumeIsBusy`): a device whose storage cannot be reached at the moment is not dead, and what is unwritten
 * waits with it.
 */
async function connectDevice(
  driver: ConnectorDriver,
  request: DeviceRequest,
  { consumer, filesystem }: Use,
  context: OperationContext,
): Promise<ConsumerDevice> {
  try {
    return await driver.connectVolume(request, context);
  } catch (error) {
    if (filesystem === null || !isStorageError(error, "VolumeIsBusy")) throw error;
    const stale = (await driver.connections(context)).get(request.volumeId);
    if (stale === undefined || stale.device !== null) throw error;
    await consumer.filesystems.unmount(request.volumeId, null, "keep", context);
    return driver.connectVolume(request, context);
  }
}

/** Ends what the consumer has of the volume and is not to have any more. */
async function leaveBehind(
  { volume, connection }: GrantedAttachment,
  { consumer, filesystem, multipath }: Use,
  previous: PreviousUse,
  context: OperationContext,
): Promise<void> {
  const isElsewhere = previous.mountPoint !== null && previous.mountPoint !== filesystem?.mountPoint;
  const isOtherwise = previous.multipath !== multipath;
  if (!isElsewhere && !isOtherwise) return;
  const driver = consumer.connector(connection.driver_volume_type);
  const device = (await driver.connections(context)).get(volume.id)?.device ?? null;
  if (previous.mountPoint !== null) await consumer.filesystems.unmount(volume.id, device, "keep", context);
  if (isOtherwise) await driver.disconnectVolume(volume.id, context);
}

/** Only what we made empty, and nobody has ever had a file system on or can be writing to, may get one. */
function mayFormat({ volume, attachment }: GrantedAttachment): boolean {
  return (
    volume.source === null &&
    !volume.formatted &&
    attachment.mode === "rw" &&
    volume.attachments.every(({ id }) => id === attachment.id)
  );
}

/** The last step before mkfs: from here on the volume counts as formatted, whatever becomes of it. */
async function recordFormat(
  backend: Backend,
  { volume: { id }, attachment }: GrantedAttachment,
  signal: AbortSignal | undefined,
): Promise<void> {
  await backend.exclusive(`note the file system of volume ${id}`, signal, async (locked) => {
    const volume = requireVolume(backend, id, locked, "format");
    if (!mayFormat({ volume, attachment } as GrantedAttachment)) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action: `make a file system on volume "${volume.name}"`,
        reason: "Meanwhile it was formatted, or attached elsewhere",
        nextStep: "Run again",
      });
    }
    locked.fresh.keepVolume(await backend.driver.updateVolume(volume, { formatted: true }, locked));
  });
}

/**
 * After a failed attach: removes what it made, where that is certain, and tells what to throw. What another run has taken over
 * is that run's, on both sides, and no state of this one may hold it.
 */
async function takeBack(
  backend: Backend,
  granted: GrantedAttachment,
  use: Use,
  error: unknown,
): Promise<unknown> {
  const { volume, attachment } = granted;
  const halfMade = new HalfMadeError(attachment.id, error);
  if (isInterruption(error)) return halfMade;
  const action = `attach volume "${volume.name}"`;
  const lostBy = (holder: Exclude<Holder, "this run">) =>
    takenOver(
      backend,
      { kind: "attachment", action, id: attachment.id, isThere: holder !== "nobody" },
      error,
    );
  let lost: StorageError | undefined;
  const confirm: Confirmation = async ({ fresh }) => {
    const holder = holderOf(backend, granted, fresh);
    if (holder === "this run") return;
    lost = lostBy(holder);
    // Of what is gone, something may be left on the consumer.
    if (holder === "another run" || usesOtherwise(backend, granted, fresh)) throw lost;
  };
  const look = (confirmation: Confirmation) => backend.exclusive(action, undefined, confirmation);
  try {
    // Before the consumer is waited for, which the other run may hold for long.
    await look(confirm);
    await detachOnConsumer(
      backend,
      {
        uuid: attachment.id,
        identity: backend.lastIdentity ?? "",
        volumeId: volume.id,
        consumer: use.consumer,
        isMounted: use.filesystem !== null,
        confirm,
      },
      undefined,
    );
    return lost ?? error;
  } catch {
    // It may have been taken over while the consumer was waited for in vain. That it is gone may be this run's own doing.
    await look(async ({ fresh }) => {
      if (holderOf(backend, granted, fresh) === "another run") lost = lostBy("another run");
    }).catch(() => undefined);
    return lost ?? halfMade;
  }
}

/** Whose an attachment is by now. */
type Holder = "this run" | "another run" | "nobody";

/** @throws StorageError where the volume is damaged, and nobody knows */
function holderOf(backend: Backend, { volume, attachment }: GrantedAttachment, fresh: Listing): Holder {
  requireWhole(backend, fresh, "volume", volume.id);
  const found = fresh.volumes.get(volume.id)?.attachments.find(({ id }) => id === attachment.id);
  if (found === undefined) return "nobody";
  return found.run === attachment.run ? "this run" : "another run";
}

/** Whether the same consumer has the volume by another attachment. */
function usesOtherwise(
  backend: Backend,
  { volume, attachment }: GrantedAttachment,
  { volumes }: Listing,
): boolean {
  const found = volumes.get(volume.id);
  return found !== undefined && isShared(backend, found, attachment.id, attachment.connector);
}

export interface Detachment {
  readonly uuid: string;
  readonly identity: string;
  readonly volumeId: string;
  readonly consumer: Consumer;
  /** The volume has a file system of ours on the consumer. */
  readonly isMounted: boolean;
  /** Where the consumer is gone, or another machine has come to its place, revokes access all the same. */
  readonly force?: ((absence: StorageError) => void) | undefined;
  /** Under the backend's lock, once the consumer's is held and nothing was done there, and again before access is revoked. */
  readonly confirm?: Confirmation | undefined;
}

/** Unmounts, flushes, logs out and revokes, in that order. Already gone is success, given the expected identity. */
export async function detachOnConsumer(
  backend: Backend,
  detachment: Detachment,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { uuid, identity, volumeId, consumer, force, confirm } = detachment;
  const listing = await backend.listingOf(identity);
  requireWhole(backend, listing, "volume", volumeId);
  let isDisconnected = false;
  try {
    // Revoked before the consumer's lock is let go: of two attachments that share a session, the second then sees that
    // it is the last.
    await consumer.exclusive(`disconnect volume ${volumeId}`, signal, async (context) => {
      if (confirm !== undefined) await backend.exclusive(`detach attachment ${uuid}`, signal, confirm);
      await disconnect(backend, detachment, context);
      isDisconnected = true;
      await detach(backend, uuid, identity, volumeId, signal, confirm);
    });
    return;
  } catch (error) {
    if (isDisconnected || !(isAbsentConsumer(error) || isStorageError(error, "InvalidConnector")))
      throw error;
    if (force === undefined) throw consumerGone(error);
    force(error);
  }
  await detach(backend, uuid, identity, volumeId, signal, confirm);
}

async function disconnect(
  backend: Backend,
  { uuid, volumeId, consumer, isMounted }: Detachment,
  context: OperationContext,
): Promise<void> {
  const { protocol } = backend.target;
  const driver = consumer.connector(protocol);
  const volume = (await backend.listing()).volumes.get(volumeId);
  const own = volume?.attachments.find(({ id }) => id === uuid)?.connector;
  const connection = (await driver.connections(context)).get(volumeId);
  // Without a trace of the volume this may be another machine than the one that has it.
  if (own !== undefined && connection === undefined && protocol !== "local") {
    requireSameConsumer(backend, own, await consumer.properties(protocol), consumer);
  }
  if (isMounted) {
    await consumer.filesystems.unmount(volumeId, connection?.device ?? null, "abandon", context);
  }
  const hasOthers =
    volume !== undefined && isShared(backend, volume, uuid, own ?? (await consumer.properties(protocol)));
  if (!hasOthers) await driver.disconnectVolume(volumeId, context);
}

/** The refusal to leave a consumer as it is, where nobody can look whether it still uses the volume. */
export function consumerGone(absence: StorageError): StorageError {
  return new StorageError({
    kind: absence.kind,
    action: `detach the volume from host "${absence.host ?? ""}"`,
    reason: absence.reason,
    nextStep:
      "Make the host reachable again. If it is gone for good, or was built anew, set force_detach = true and apply, then destroy: access is then revoked on the storage side alone",
    host: absence.host,
    cause: absence,
  });
}

/** @throws StorageError when the machine at the consumer's address is not the one that was granted access */
export function requireSameConsumer(
  { target }: Backend,
  recorded: Connector,
  found: Connector,
  consumer: Consumer,
): void {
  if (target.initiatorOf(recorded) === target.initiatorOf(found)) return;
  const nameOf = ({ initiator, nqn, host, ip }: Connector) => initiator ?? nqn ?? host ?? ip ?? "";
  throw new StorageError({
    kind: "InvalidConnector",
    action: `use the volume's attachment on host "${consumer.name}"`,
    reason: `Access was granted to "${nameOf(recorded)}", and the machine there calls itself "${nameOf(found)}" now`,
    nextStep:
      "If the machine that was granted access is still there, write its address again. If it was built anew, is gone or was renamed, set force_detach = true and apply, then replace the attachment (-replace)",
    host: consumer.name,
  });
}
