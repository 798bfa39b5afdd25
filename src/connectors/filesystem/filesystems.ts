import {
  type ConsumerDevice,
  type FilesystemRequest,
  type Filesystems,
  type MountState,
  type OperationContext,
  StorageError,
} from "../../contract/index.ts";
import { checkVolumeId } from "../requests.ts";
import { longMs, runScript } from "../run-script.ts";
import { fstabLine, mountOptions } from "./fstab.ts";
import { parseMount, parseMounts } from "./report.ts";
import { checkRequest } from "./requests.ts";
import {
  growScript,
  inspectScript,
  mkfsScript,
  mountScript,
  mountsScript,
  unmountScript,
} from "./scripts.ts";

/** Making a file system on a large volume, or writing back all that is unwritten, may take this long. In milliseconds. */
const hourMs = 3_600_000;

/** File systems on consumers: ext4 and xfs, in fstab. */
export function createFilesystems(): Filesystems {
  return { mounts, ensureFilesystem, mount, grow, unmount };
}

async function mounts(
  devices: ReadonlyMap<string, ConsumerDevice>,
  context: OperationContext,
): Promise<ReadonlyMap<string, readonly MountState[]>> {
  const stdin = [...devices]
    .filter(([, { kernelPath }]) => kernelPath.startsWith("/dev/"))
    .map(([id, device]) => `${id} ${kernelName(device)}\n`)
    .join("");
  return parseMounts(await runScript(context, { action: "list the mounts", text: mountsScript, stdin }));
}

async function ensureFilesystem(
  device: ConsumerDevice,
  request: FilesystemRequest,
  format: { readonly record: () => Promise<void> } | undefined,
  context: OperationContext,
): Promise<void> {
  const { type, label, mkfsOptions } = request;
  const action = `make the file system ${type} on volume ${device.volumeId}`;
  checkRequest(device, request, action);
  const where = [kernelName(device), device.path];
  const looking = `read what volume ${device.volumeId} holds`;
  const found = (await runScript(context, { action: looking, text: inspectScript, args: where })).trim();
  if (found === `type ${type}`) return;
  const refuse = (kind: "InvalidInput" | "VolumeBackendError", reason: string, nextStep: string) =>
    new StorageError({ kind, action, reason, nextStep, host: context.executor.host });
  if (found.startsWith("type ") || found.startsWith("signature ")) {
    throw refuse(
      "InvalidInput",
      `it carries ${found.replace(/^(type|signature) /, "")}, not ${type}`,
      `Write filesystem.type as it is, or use another volume; breezeblock never overwrites what is there.`,
    );
  }
  const byHand = `If nothing on it is needed, run "mkfs.${type} ${device.path}" on the consumer, or replace the volume.`;
  if (found !== "zeros") {
    throw refuse("VolumeBackendError", `it carries no file system, but data (${found} MiB)`, byHand);
  }
  if (format === undefined) {
    throw refuse(
      "VolumeBackendError",
      "it carries no file system, and is no volume that was created empty and never formatted since (a file system whose making was interrupted counts)",
      byHand,
    );
  }
  await format.record();
  await runScript(context, {
    action,
    text: mkfsScript,
    args: [...where, type, label ?? "", ...mkfsOptions],
    timeoutMs: hourMs,
  });
}

async function mount(
  device: ConsumerDevice,
  request: FilesystemRequest,
  context: OperationContext,
): Promise<MountState> {
  const { volumeId, path } = device;
  const { type, access, owner, mode, mountPoint } = request;
  const action = `mount volume ${volumeId} at ${mountPoint}`;
  checkRequest(device, request, action);
  const text = await runScript(context, {
    action,
    text: mountScript,
    args: [
      volumeId,
      kernelName(device),
      path,
      type,
      access,
      owner ?? "",
      mode ?? "",
      mountOptions(volumeId, request),
      mountPoint,
      fstabLine(path, volumeId, request),
    ],
    timeoutMs: longMs,
  });
  return parseMount(text, volumeId, mountPoint);
}

async function grow(
  device: ConsumerDevice,
  request: FilesystemRequest,
  context: OperationContext,
): Promise<MountState> {
  const { type, access, mountPoint } = request;
  const action = `grow the file system of volume ${device.volumeId}`;
  checkRequest(device, request, action);
  const text = await runScript(context, {
    action,
    text: growScript,
    args: [kernelName(device), device.path, type, access, mountPoint],
    timeoutMs: longMs,
  });
  return parseMount(text, device.volumeId, mountPoint);
}

async function unmount(
  volumeId: string,
  device: ConsumerDevice | null,
  unreachable: "abandon" | "keep",
  context: OperationContext,
): Promise<void> {
  const action = `unmount volume ${volumeId}`;
  checkVolumeId(volumeId, action);
  await runScript(context, {
    action,
    text: unmountScript,
    args: [volumeId, device === null ? "" : kernelName(device), unreachable],
    timeoutMs: hourMs,
  });
}

function kernelName({ kernelPath }: ConsumerDevice): string {
  return kernelPath.replace(/^\/dev\//, "");
}
