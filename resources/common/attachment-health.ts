import {
  type AttachmentState,
  accessFault,
  type Backend,
  type Consumer,
  isAbsentConsumer,
} from "../../src/backend/index.ts";
import {
  type AccessMode,
  type ConsumerConnection,
  isStorageError,
  type MountState,
  type StorageError,
} from "../../src/contract/index.ts";
import type { HookContext } from "../schema/index.ts";
import { type ConsumerReference, consumerOf } from "./consumers.ts";
import type { FilesystemConfig } from "./filesystems.ts";

/** What `status` says of an attachment that lacks nothing. */
export const whole = "attached";

/** How an attachment stands, looked at on both ends. */
export interface Health {
  /** `whole`, or what is missing, in words. */
  readonly status: string;
  /** As the consumer sees them; undefined where it could not be asked, or has no device. */
  readonly sizeBytes: number | undefined;
  readonly devicePath: string | undefined;
}

/** Who is to have the volume, and how. */
export interface Expectation extends ConsumerReference {
  readonly mode: AccessMode;
  readonly filesystem: FilesystemConfig | null;
}

/**
 * Looks at the storage side and, where the consumer is logged in to, at the consumer. A consumer that cannot be asked is
 * told of in the status and in a warning: the storage side is what decides whether the attachment is there.
 */
export async function healthOf(
  context: HookContext,
  backend: Backend,
  found: AttachmentState,
  expected: Expectation,
): Promise<Health> {
  const fault = await accessFault(backend, found);
  const faults = fault === undefined ? [] : [fault];
  if (!needsConsumer(backend, expected)) {
    return { status: statusOf(faults), sizeBytes: found.volume.sizeBytes, devicePath: undefined };
  }
  try {
    const consumer = consumerOf(context, expected);
    if (consumer === null) {
      return { status: statusOf(faults), sizeBytes: found.volume.sizeBytes, devicePath: undefined };
    }
    const seen = await look(consumer, backend, found, expected);
    if (seen.errors > 0) {
      context.warn({
        summary: `The file system of attachment ${found.attachment.id} has recorded ${seen.errors} errors`,
        detail: `It may take no more writes until it is mounted again. Unmount it on host "${consumer.name}", check it with e2fsck, and apply.`,
      });
    }
    return {
      status: statusOf([...faults, ...seen.faults]),
      sizeBytes: seen.connection?.device?.sizeBytes,
      devicePath: seen.connection?.device?.path,
    };
  } catch (error) {
    const absence = absenceOf(error);
    if (absence === undefined) throw error;
    context.warn({
      summary: `The consumer of attachment ${found.attachment.id} could not be asked: ${absence}`,
      detail: `${(error as StorageError).detail} What state says of it was not checked. If it is gone for good, set force_detach = true and apply; the attachment can then be destroyed without it.`,
    });
    return { status: statusOf([...faults, absence]), sizeBytes: undefined, devicePath: undefined };
  }
}

/** Whether there is anything to do on a consumer that is logged in to. */
export function needsConsumer(
  backend: Backend,
  { connector, filesystem }: Pick<Expectation, "connector" | "filesystem">,
): boolean {
  if (connector !== null) return false;
  return backend.target.protocol !== "local" || filesystem !== null;
}

/** Why nobody could look at the consumer, in few words; undefined for every other error. */
export function absenceOf(error: unknown): string | undefined {
  if (isAbsentConsumer(error)) {
    return error.kind === "HostKeyMismatch" ? "consumer shows another host key" : "consumer unreachable";
  }
  const [place] = isStorageError(error, "InvalidInput") ? (error.attribute ?? []) : [];
  return place === "host" || place === "connection" ? "consumer not configured" : undefined;
}

async function look(
  consumer: Consumer,
  backend: Backend,
  { volume }: AttachmentState,
  { mode, filesystem }: Expectation,
): Promise<{
  readonly faults: readonly string[];
  readonly errors: number;
  readonly connection: ConsumerConnection | undefined;
}> {
  const observation = await consumer.observe(backend.target.protocol);
  const connection = observation.connections.get(volume.id);
  const mounts = observation.mounts.get(volume.id) ?? [];
  return {
    connection,
    errors: Math.max(0, ...mounts.map(({ errors }) => errors)),
    faults: [
      ...deviceFaults(connection, volume.sizeBytes),
      // Of a device that cannot be told, nobody knows where it is mounted.
      ...(filesystem === null || connection?.device === null
        ? []
        : mountFaults(mounts, filesystem, mode, connection)),
    ],
  };
}

function deviceFaults(connection: ConsumerConnection | undefined, sizeBytes: number): string[] {
  if (connection === undefined) return ["not logged in"];
  const { device, fault } = connection;
  if (fault !== null) return [fault];
  if (device === null) return ["no device"];
  return device.sizeBytes < sizeBytes ? ["smaller than the volume"] : [];
}

function mountFaults(
  mounts: readonly MountState[],
  filesystem: FilesystemConfig,
  mode: AccessMode,
  connection: ConsumerConnection | undefined,
): string[] {
  const mount = mounts.find(({ mountPoint }) => mountPoint === filesystem.mount_point);
  if (mount === undefined || !mount.isMounted) return ["not mounted"];
  const faults: string[] = [];
  if (!mount.answers) return ["file system shut down"];
  if (mount.type !== filesystem.type) faults.push(`${mount.type} in place of ${filesystem.type}`);
  if (mount.access !== mode) faults.push(`mounted ${mount.access}`);
  if (!mount.isInFstab) faults.push("not mounted at boot");
  const deviceBytes = connection?.device?.sizeBytes ?? 0;
  // What a file system needs for itself is not known here, but it is never half of the device.
  if (mode === "rw" && mount.sizeBytes !== null && mount.sizeBytes < deviceBytes / 2) {
    faults.push("file system smaller than its device");
  }
  return faults;
}

function statusOf(faults: readonly string[]): string {
  return faults.length === 0 ? whole : faults.join(", ");
}
