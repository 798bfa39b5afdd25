import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { identify, isAlive, killProcess, type ProcessIdentity } from "./process-identity.ts";

/** On disk, as guests' disks may grow, and short, as the paths of sockets must be. */
const parent = realpathSync("/var/tmp");
const prefix = "breezeblock-lab-";
const ownerFile = "owner.json";

/** A new directory for a running lab. Those of labs that died without tidying up are removed on the way. */
export async function makeRunDirectory(): Promise<string> {
  await removeOrphans();
  const directory = mkdtempSync(join(parent, prefix));
  const self = identify(process.pid);
  if (self !== undefined) setOwner(directory, self);
  return directory;
}

/** Says with whose end the lab in `directory` has ended too. */
export function setOwner(directory: string, owner: ProcessIdentity): void {
  writeFileSync(join(directory, ownerFile), JSON.stringify(owner), { mode: 0o600 });
}

/** Removes a run directory, after ending what still runs in it, such as a guest whose starter broke off. */
export async function removeRunDirectory(directory: string): Promise<void> {
  for (const process of processesIn(directory)) await killProcess(process);
  rmSync(directory, { recursive: true, force: true });
}

/** The lab's processes name files in their run directory on their command lines. */
function processesIn(directory: string): ProcessIdentity[] {
  return readdirSync("/proc").flatMap((name) => {
    const identity = /^\d+$/.test(name) ? identify(Number(name)) : undefined;
    return identity !== undefined && commandLine(name).includes(`${directory}/`) ? [identity] : [];
  });
}

function commandLine(pid: string): string {
  try {
    return readFileSync(join("/proc", pid, "cmdline"), "utf8");
  } catch {
    // It has ended.
    return "";
  }
}

async function removeOrphans(): Promise<void> {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(prefix))) {
    const directory = join(parent, name);
    // Another user's lab is not ours to judge.
    if (statSync(directory, { throwIfNoEntry: false })?.uid !== process.getuid?.()) continue;
    const owner = ownerOf(directory);
    if (owner !== undefined && !isAlive(owner)) await removeRunDirectory(directory);
  }
}

function ownerOf(directory: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, ownerFile), "utf8")) as ProcessIdentity;
  } catch {
    // Just made, or not a lab's.
    return undefined;
  }
}
