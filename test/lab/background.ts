import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { findCommand } from "../support/commands.ts";
import { waitFor } from "../support/wait-for.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

/** Who a background process lives for: the process that started it, or until it is told to end. */
export type Lifetime = "with its starter" | "until told";

export interface BackgroundOptions {
  readonly lifetime: Lifetime;
  /** Takes its standard output and error. */
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts `command` as the first process of a process namespace: when it ends, however that comes about, the kernel
 * ends all that it started. One that lives with its starter is killed by the kernel when the starting process ends.
 */
export async function startInBackground(
  command: readonly string[],
  { lifetime, logFile, env = process.env }: BackgroundOptions,
): Promise<ProcessIdentity> {
  const [program = "", ...args] = command;
  const found = findCommand(program) ?? program;
  const line = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--", found, ...args];
  if (lifetime === "with its starter") line.unshift("setpriv", "--pdeathsig", "KILL", "--");
  const log = openSync(logFile, "a", 0o600);
  const [first = "", ...rest] = line;
  // In a session of its own: a terminal's Ctrl-C is for the one who tidies up, not for guests.
  const starter = spawn(findCommand(first) ?? first, rest, {
    detached: true,
    stdio: ["ignore", log, log],
    env,
  });
  closeSync(log);
  const failed = new Promise<never>((_, reject) => {
    starter.once("error", reject);
    starter.once("exit", (status) => {
      reject(new Error(`${program} ended with ${status}: ${endOf(logFile)}`));
    });
  });
  failed.catch(() => {});
  starter.unref();
  const started = waitFor(`The start of ${program}`, () => childOf(starter.pid), { intervalMs: 10 });
  started.catch(() => {});
  return Promise.race([started, failed]);
}

function childOf(parent: number | undefined): ProcessIdentity {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim().split(" ");
  const child = children[0] === "" ? undefined : identify(Number(children[0]));
  if (child === undefined) throw new Error("it has not been forked yet");
  return child;
}

/** The file goes with its directory when a guest is ended on purpose. */
function endOf(logFile: string): string {
  try {
    return readFileSync(logFile, "utf8").trim().slice(-1000);
  } catch {
    return "";
  }
}
