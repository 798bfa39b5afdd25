import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Availability } from "./availability.ts";
import { findCommand } from "./commands.ts";
import { waitFor } from "./wait-for.ts";

/** What shows that a Debian package is there already, however it was installed. */
const commandOf: Readonly<Record<string, string>> = {
  "btrfs-progs": "mkfs.btrfs",
  e2fsprogs: "mkfs.ext4",
  "openssh-client": "ssh",
  "openssh-server": "sshd",
  "qemu-utils": "qemu-img",
  "util-linux": "flock",
};

const lock = join(tmpdir(), "breezeblock-test-packages.lock");
const aptDeadlineMs = 300_000;

/**
 * Makes sure that the commands of these Debian packages are there: found on PATH (or in sbin), or
 * installed by apt-get where this runs as root. One process at a time installs; no service is started.
 */
export async function ensurePackages(packages: readonly string[]): Promise<Availability> {
  if (missing(packages).length === 0) return { available: true, reason: "" };
  const obstacle = installObstacle();
  if (obstacle !== undefined) return leftOut(missing(packages), obstacle);
  return holdingLock(() => {
    // Another process may have installed them while this one waited.
    const wanted = missing(packages);
    if (wanted.length === 0) return { available: true, reason: "" };
    const failure = install(wanted);
    if (failure === undefined && missing(packages).length === 0) return { available: true, reason: "" };
    return leftOut(missing(packages), failure ?? "apt-get installed them, but their commands are not there");
  });
}

function missing(packages: readonly string[]): string[] {
  return packages.filter((name) => findCommand(commandOf[name] ?? name) === undefined);
}

function leftOut(packages: readonly string[], why: string): Availability {
  return { available: false, reason: `left out: ${packages.join(", ")} not installed (${why})` };
}

function installObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can install it";
  if (findCommand("apt-get") === undefined) return "there is no apt-get";
  return undefined;
}

function install(packages: readonly string[]): string | undefined {
  const allowServices = forbidServices();
  try {
    const apt = (...args: string[]) =>
      spawnSync("apt-get", ["-q", "-y", ...args], {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        timeout: aptDeadlineMs,
      });
    const attempt = () => apt("install", "--no-install-recommends", ...packages);
    let result = attempt();
    if (result.status !== 0) {
      // The package lists may be missing or old.
      apt("update");
      result = attempt();
    }
    if (result.status === 0) return undefined;
    return (result.stderr ?? "").trim().split("\n").at(-1) || `apt-get ended with ${result.status}`;
  } finally {
    allowServices();
  }
}

/** Debian's installers ask this program whether a service may start: 101 is no. A policy that is there stays. */
function forbidServices(): () => void {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}

/** A directory is the lock, its `pid` file says whose; one left by a dead process is taken over. */
async function holdingLock<T>(work: () => T): Promise<T> {
  await waitFor("The other package installation's end", takeLock, {
    deadlineMs: 2 * aptDeadlineMs,
    intervalMs: 100,
  });
  try {
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function takeLock(): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, "pid"), String(process.pid));
    return true;
  } catch {
    if (isAbandoned()) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function isAbandoned(): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, "pid"), "utf8")), 0);
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return true;
    // Without a pid yet: just made, unless its maker died in between.
    return (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) < Date.now() - 10_000;
  }
}
