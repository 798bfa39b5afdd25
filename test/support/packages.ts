import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Availability } from "./availability.ts";
import { findCommand } from "./commands.ts";
import { holdingLock } from "./process-lock.ts";

/** The command, or the file where it has none, that shows that a Debian package is there, however it was installed. */
const commandOf: Readonly<Record<string, string>> = {
  "btrfs-progs": "mkfs.btrfs",
  "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
  e2fsprogs: "mkfs.ext4",
  iproute2: "ip",
  "openssh-client": "ssh",
  "openssh-server": "sshd",
  "qemu-utils": "qemu-img",
  "xz-utils": "xz",
  "util-linux": "flock",
};

const lock = join(tmpdir(), "breezeblock-test-packages.lock");
const aptDeadlineMs = 300_000;

/**
 * Makes sure that the commands of these Debian packages are there: found on PATH (or in sbin), or
 * installed by apt-get where this runs as root, unless `mayInstall` is false. One process at a time
 * installs; no service is started.
 */
export async function ensurePackages(
  packages: readonly string[],
  options: { readonly mayInstall?: boolean } = {},
): Promise<Availability> {
  if (missing(packages).length === 0) return { available: true, reason: "" };
  const obstacle = options.mayInstall === false ? "not asked to install it" : installObstacle();
  if (obstacle !== undefined) return leftOut(missing(packages), obstacle);
  return holdingLock(lock, "The other package installation's end", 2 * aptDeadlineMs, () => {
    // Another process may have installed them while this one waited.
    const wanted = missing(packages);
    if (wanted.length === 0) return { available: true, reason: "" };
    const failure = install(wanted);
    if (failure === undefined && missing(packages).length === 0) return { available: true, reason: "" };
    return leftOut(missing(packages), failure ?? "apt-get installed them, but their commands are not there");
  });
}

function missing(packages: readonly string[]): string[] {
  return packages.filter((name) => {
    const sign = commandOf[name] ?? name;
    return sign.startsWith("/") ? !existsSync(sign) : findCommand(sign) === undefined;
  });
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
