import { existsSync } from "node:fs";
import type { Availability } from "../support/availability.ts";
import { findCommand } from "../support/commands.ts";
import { ensurePackages } from "../support/packages.ts";

/** The one command that a person types to get the lab. */
export const upCommand = "npm run lab -- up";

/** Debian packages that the lab needs on this machine. */
const neededPackages = [
  ...["mmdebstrap", "e2fsprogs", "openssh-client", "util-linux", "iproute2", "socat"],
  // Guests run Debian; other systems do not know its archive's keys.
  ...["debian-archive-keyring"],
];

/**
 * Whether the lab can be had here; what is missing is installed if `mayInstall` says so and this runs as root
 * on Debian or Ubuntu. Where it cannot be had, the reason names what a person can do.
 */
export async function ensureLab({ mayInstall }: { readonly mayInstall: boolean }): Promise<Availability> {
  const obstacle = unfitness();
  if (obstacle !== undefined) return leftOut(`the lab of storage hosts ${obstacle}`);
  const packages = await ensurePackages(neededPackages, { mayInstall });
  if (packages.available) return packages;
  const why = packages.reason.replace(/^left out: /, "");
  const remedy = mayInstall ? `apt-get install ${neededPackages.join(" ")}` : upCommand;
  return leftOut(`the lab of storage hosts needs ${why}; ${remedy} adds it`);
}

/** True where somebody sits at a terminal who did not ask for packages to be installed. */
export function someoneIsThere(): boolean {
  if (process.env["CI"]) return false;
  return [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
}

function unfitness(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs Linux on x86-64";
  if (process.getuid?.() !== 0)
    return "needs root, to build its image and its network; its tests run as root only";
  if (findCommand("apt-get") === undefined) return "needs apt-get, of Debian or Ubuntu";
  if (!existsSync("/dev/net/tun")) return "needs /dev/net/tun, for its network";
  return undefined;
}

function leftOut(reason: string): Availability {
  return { available: false, reason: `left out: ${reason}` };
}
