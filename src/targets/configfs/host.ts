import {
  type AttributePath,
  type CommandResult,
  dataPathOf,
  type OperationContext,
  StorageError,
  type VolumeRecord,
} from "../../contract/index.ts";
import { exitCodes } from "./common-script.ts";
import { canonicalAddress, formatPortal, type Portal } from "./portals.ts";

/** A script and what it is given. */
export interface Invocation {
  /** For errors, a verb phrase. */
  readonly action: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Secret where it is given. */
  readonly stdin?: string;
}

/** Runs a script on the storage host; gives what it printed. */
export async function runScript(context: OperationContext, invocation: Invocation): Promise<string> {
  const { action, script, args, stdin } = invocation;
  const result = await context.executor.run(["sh", "-c", script, "breezeblock", ...args], {
    stdin,
    signal: context.signal,
  });
  if (result.exitCode === 0) return result.stdout.toString("utf8");
  throw failure(context, action, result);
}

const nextSteps: ReadonlyMap<number, string> = new Map([
  [exitCodes.notOwned, "Rename or remove it on the host, if nothing needs it."],
  [
    exitCodes.portal,
    "Compare the target's portals with the host's addresses, and with what listens there (ss -ltn).",
  ],
]);

function failure(context: OperationContext, action: string, result: CommandResult): StorageError {
  const words = result.stderr.toString("utf8").trim();
  return new StorageError({
    kind: result.exitCode === exitCodes.notOwned ? "NotOwned" : "VolumeBackendError",
    action,
    reason: words === "" ? `the command ended with exit code ${result.exitCode}` : words,
    nextStep: nextSteps.get(result.exitCode),
    host: context.executor.host,
    attribute: result.exitCode === exitCodes.portal ? ["portals"] : undefined,
  });
}

/** Not of the host itself alone, nor of one link. */
function isReachable(address: string): boolean {
  return !/^(127\.|::1$|fe80:)/.test(address);
}

/** Checks what `ip -o address` printed for every portal. Nothing printed proves nothing: the tool may be missing. */
export function requireAddresses(
  context: OperationContext,
  portals: readonly Portal[],
  printed: string,
): void {
  const addresses = [...printed.matchAll(/ inet6? ([0-9a-f.:]+)/g)].map((match) =>
    canonicalAddress(match[1] ?? ""),
  );
  if (addresses.length === 0) return;
  for (const [index, portal] of portals.entries()) {
    if (addresses.includes(portal.address)) continue;
    const attribute: AttributePath = ["portals", index];
    throw new StorageError({
      kind: "VolumeBackendError",
      action: "use the target's portals",
      reason: `${formatPortal(portal)} is not an address of the host, which has ${addresses.filter(isReachable).join(", ")}`,
      nextStep: "Set portals to addresses of the storage host as consumers reach them.",
      host: context.executor.host,
      attribute,
    });
  }
}

/**
 * Refuses what the kernel's configuration cannot take as a device.
 *
 * @returns the absolute path of the volume's data
 */
export function exportablePath(volume: VolumeRecord, action: string): string {
  const path = dataPathOf(volume);
  const { format } = volume;
  if (format === "qcow2" || (format === undefined && path.endsWith(".qcow2"))) {
    throw new StorageError({
      kind: "NotSupported",
      action,
      reason: `${volume.location} is a qcow2 file, whose content the kernel cannot export`,
      nextStep: "Use raw files with this target.",
    });
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not get into a configuration line
  if (!path.startsWith("/") || /[,\u0000-\u001f\u007f]|\s$/.test(path)) {
    throw new StorageError({
      kind: "NotSupported",
      action,
      reason: `the kernel's target cannot take the path ${JSON.stringify(path)}`,
      nextStep: "Use a path without commas, line breaks and trailing blanks.",
    });
  }
  return path;
}
