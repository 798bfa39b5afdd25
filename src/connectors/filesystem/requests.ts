import {
  type AttributePath,
  type ConsumerDevice,
  type FilesystemRequest,
  StorageError,
} from "../../contract/index.ts";

/** What can be refused without looking at the consumer. */
export function checkRequest(device: ConsumerDevice, request: FilesystemRequest, action: string): void {
  const { mountPoint, mountOptions, mkfsOptions, label, owner, mode } = request;
  const wrong = (name: string, reason: string): StorageError => {
    const attribute: AttributePath = ["filesystem", name];
    return new StorageError({ kind: "InvalidInput", action, reason, attribute });
  };
  if (!/^\/dev\/[A-Za-z0-9._-]+$/.test(device.kernelPath)) {
    throw new StorageError({
      kind: "NotSupported",
      action,
      reason: `${device.path} is a file, and a file system on a file would need a loop device`,
      nextStep: "Use a backend whose volumes are block devices, or leave out filesystem.",
    });
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (!/^\/[^\u0000-\u001f\u007f]+$/.test(mountPoint) || /\/(\.{0,2}(\/|$))/.test(mountPoint)) {
    throw wrong(
      "mount_point",
      `${JSON.stringify(mountPoint)} is not an absolute path without "." and ".." below /`,
    );
  }
  for (const option of mountOptions) {
    if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(option)) {
      throw wrong("mount_options", `${JSON.stringify(option)} holds a comma, a blank or a control character`);
    }
  }
  for (const option of mkfsOptions) {
    if (option === "" || option.includes("\0")) throw wrong("mkfs_options", "an option is empty");
  }
  if (label !== null && !/^[\x21-\x7e]{1,16}$/.test(label)) {
    throw wrong("label", `${JSON.stringify(label)} is not 1 to 16 printable characters`);
  }
  if (owner !== null && !/^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/.test(owner)) {
    throw wrong("owner", `${JSON.stringify(owner)} is not user or user:group`);
  }
  if (mode !== null && !/^[0-7]{3,4}$/.test(mode))
    throw wrong("mode", `${JSON.stringify(mode)} is not octal`);
}
