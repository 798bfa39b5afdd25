import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../support/commands.ts";
import { identify, isAlive, killProcess, type ProcessIdentity } from "./process-identity.ts";
import { Qmp } from "./qmp.ts";

const program = "qemu-system-x86_64";

/** Who a QEMU lives for: the process that started it, or until it is told to end. */
export type Lifetime = "with its starter" | "until told";

/** The monitor's socket of the QEMU that runs in `directory`. */
export function monitorOf(directory: string): string {
  return join(directory, "qmp");
}

/**
 * Starts QEMU with its files in `directory` and waits for its monitor. One that lives with its starter is
 * killed by the kernel when the starting process ends, however that comes about.
 */
export async function startQemu(
  directory: string,
  args: readonly string[],
  lifetime: Lifetime,
): Promise<ProcessIdentity> {
  const qemu = findCommand(program);
  if (qemu === undefined) throw new Error(`${program} is not installed.`);
  const command = [qemu, "-nodefaults", "-no-user-config", "-display", "none", ...args];
  command.push("-qmp", `unix:${monitorOf(directory)},server=on,wait=off`);
  if (lifetime === "with its starter") command.unshift("setpriv", "--pdeathsig", "KILL");
  const logFile = join(directory, "qemu.log");
  const log = openSync(logFile, "a", 0o600);
  const [first = qemu, ...rest] = command;
  // In a session of its own: a terminal's Ctrl-C is for the one who tidies up, not for guests.
  const child = spawn(first, rest, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (status) => reject(new Error(`QEMU ended with ${status}: ${endOf(logFile)}`)));
  });
  failed.catch(() => {});
  child.unref();
  const process = child.pid === undefined ? undefined : identify(child.pid);
  if (process === undefined) return failed;
  const opened = Qmp.open(monitorOf(directory));
  opened.then((qmp) => qmp.close()).catch(() => {});
  try {
    await Promise.race([opened, failed]);
  } catch (error) {
    if (isAlive(process)) await killProcess(process);
    throw error;
  }
  return process;
}

/** The file goes with its directory when a guest is ended on purpose. */
function endOf(logFile: string): string {
  return existsSync(logFile) ? readFileSync(logFile, "utf8").trim().slice(-1000) : "";
}
