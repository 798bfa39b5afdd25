import type { FilesystemRequest } from "../../contract/index.ts";
import { fstabMark } from "./scripts.ts";

/** All options of a mount, as they stand in fstab. */
export function mountOptions(volumeId: string, request: FilesystemRequest): string {
  const { type, access, mountOptions: wanted } = request;
  const options = [...wanted, access, "_netdev", "nofail"];
  // Clones and snapshots share their origin's UUID; the serial number is what tells them apart here.
  if (type === "xfs") options.push("nouuid");
  // A storage host may take longer than the 90 s that systemd gives to a device.
  if (!wanted.some((option) => option.startsWith("x-systemd.device-timeout="))) {
    options.push("x-systemd.device-timeout=600");
  }
  options.push(`${fstabMark}${volumeId}`);
  return [...new Set(options)].join(",");
}

/** The line of fstab. Checking at boot (the last field) is left to the journal. */
export function fstabLine(path: string, volumeId: string, request: FilesystemRequest): string {
  const options = mountOptions(volumeId, request);
  return `${escapeField(path)} ${escapeField(request.mountPoint)} ${request.type} ${escapeField(options)} 0 0`;
}

/** What separates fields, and the escape itself, as getmntent(3) reads them. */
export function escapeField(text: string): string {
  return text.replace(
    /[\\\t\n #]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

export function unescapeField(text: string): string {
  const bytes = Buffer.from(text).toString("latin1");
  const plain = bytes.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(plain, "latin1").toString("utf8");
}
