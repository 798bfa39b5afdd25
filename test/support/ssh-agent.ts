import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { findCommand } from "./commands.ts";
import { makeTempDirectory, removeDirectory } from "./temp-directory.ts";
import { waitFor } from "./wait-for.ts";

export interface SshAgent {
  /** What SSH_AUTH_SOCK would be. */
  readonly socket: string;
  stop(): Promise<void>;
}

/** Starts an ssh-agent (openssh-client) that holds the keys of these private key files. */
export async function startSshAgent(privateKeyFiles: readonly string[]): Promise<SshAgent> {
  const agentCommand = findCommand("ssh-agent");
  if (agentCommand === undefined) throw new Error("ssh-agent is not installed; ask ensurePackages first.");
  const directory = makeTempDirectory();
  const socket = join(directory, "agent");
  const agent = spawn(agentCommand, ["-D", "-a", socket], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => agent.once("exit", () => resolve()));
  const stop = async () => {
    agent.kill();
    await ended;
    removeDirectory(directory);
  };
  try {
    // 0: has keys, 1: has none, 2: does not answer.
    await waitFor("The start of ssh-agent", () => sshAdd(socket, ["-l"]).status === 1);
    const added = sshAdd(socket, ["-q", ...privateKeyFiles]);
    if (added.status !== 0) throw new Error(`ssh-add: ${added.stderr}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, stop };
}

function sshAdd(socket: string, args: readonly string[]) {
  return spawnSync("ssh-add", args, { env: { ...process.env, SSH_AUTH_SOCK: socket }, encoding: "utf8" });
}
