import {
  type CommandResult,
  type ErrorKind,
  type OperationContext,
  StorageError,
} from "../contract/index.ts";
import { exitCodes } from "./shell.ts";

/** For scripts that wait; their waits are bounded one by one, and together stay below this. In milliseconds. */
export const longMs = 600_000;

/** A script on a consumer, and what it is for. */
export interface Script {
  /** What cannot be done where it fails, as a verb phrase. */
  readonly action: string;
  readonly text: string;
  readonly args?: readonly string[];
  readonly stdin?: string;
  /** In milliseconds. */
  readonly timeoutMs?: number;
}

const kinds: ReadonlyMap<number, ErrorKind> = new Map([
  [exitCodes.busy, "VolumeIsBusy"],
  [exitCodes.invalidConnector, "InvalidConnector"],
  [exitCodes.invalidInput, "InvalidInput"],
  [exitCodes.notSupported, "NotSupported"],
]);

const nextSteps: ReadonlyMap<number, string> = new Map([
  [exitCodes.busy, "End what uses it, then try again; nothing was changed."],
  [
    exitCodes.loginRefused,
    "Make sure that the consumer's initiator name is the one that was granted access, then apply again.",
  ],
  [
    exitCodes.noPortal,
    "Make sure that the consumer reaches the portals of the backend (routes, firewall), or correct them, then apply again.",
  ],
]);

/** Runs a script and returns what it printed. A failure is thrown in the words of the tool that failed. */
export async function runScript(context: OperationContext, script: Script): Promise<string> {
  const { action, text, args = [], stdin, timeoutMs } = script;
  const result = await context.executor.run(["sh", "-c", text, "breezeblock", ...args], {
    stdin,
    timeoutMs,
    signal: context.signal,
  });
  if (result.exitCode === 0) return result.stdout.toString("utf8");
  throw new StorageError({
    kind: kinds.get(result.exitCode) ?? "VolumeBackendError",
    action,
    reason: wordsOf(result),
    nextStep: nextSteps.get(result.exitCode),
    host: context.executor.host,
  });
}

/** What a failed command said, its lines joined. */
function wordsOf(result: CommandResult): string {
  const lines = result.stderr
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.length === 0 ? `the command ended with exit code ${result.exitCode}` : lines.join("; ");
}
