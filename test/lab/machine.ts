import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Lifetime, startInBackground } from "./background.ts";
import { type GuestIdentity, managementNetwork } from "./identity.ts";
import type { Image } from "./image.ts";
import type { Network } from "./network.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** Bytes of memory of a guest; what it never touches takes nothing. */
const memorySize = 1536 * 1024 ** 2;

/** The disks of a guest besides its root disk, in bytes: `/dev/ubdb` and `/dev/ubdc`. */
export const dataDiskSizes: readonly number[] = [16 * 1024 ** 3, 12 * 1024 ** 3];

export interface Machine {
  readonly image: Image;
  readonly identity: GuestIdentity;
  /** Holds its disks and its console. */
  readonly directory: string;
  /** The port on 127.0.0.1 that leads to its sshd. */
  readonly sshPort: number;
  readonly lifetime: Lifetime;
}

export function consoleOf(directory: string): string {
  return join(directory, "console");
}

/** A data disk's file in a guest's directory. */
export function dataDiskOf(directory: string, index: number): string {
  return join(directory, `disk${index}.raw`);
}

/** Switches the machine on: Linux as a process of this machine, with its disks and NICs. */
export async function startMachine(machine: Machine, network: Network): Promise<ProcessIdentity> {
  const { image, identity, directory, lifetime } = machine;
  const plugs = await network.plug(identity.name);
  // The root disk is written beside the image, which all guests share.
  const disks = [
    `ubda=${join(directory, "root.cow")},${image.rootDisk}`,
    ...dataDiskSizes.map((_, index) => `ubd${"bc"[index]}=${dataDiskOf(directory, index)}`),
  ];
  const { TMPDIR: _tmp, TMP: _tmp2, TEMP: _tmp3, ...env } = process.env;
  return startInBackground(
    network.inside([
      ...["taskset", "--cpu-list", String(someProcessor())],
      image.kernel,
      ...[`mem=${memorySize / 1024 ** 2}M`, `uml_dir=${directory}/`, `umid=${identity.name}`, "noreboot"],
      ...disks,
      // With `gro` it takes frames of up to 64 KiB, as this machine's TCP hands them over; others would be cut short.
      ...plugs.map((plug, index) => `vec${index}:transport=tap,ifname=${plug},gro=1`),
      ...["con=null", "con0=null,fd:1", ...kernelCommandLine(identity)],
    ]),
    // Its memory is a file where these say; by default on /dev/shm, which is memory indeed.
    { lifetime, logFile: consoleOf(directory), env },
  );
}

/**
 * The number of a processor that this process may run on. A guest stays on one: its kernel and its programs wait for each
 * other at each system call, and waking another processor takes longer than most of them.
 */
function someProcessor(): number {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const processors = allowed.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return processors[randomInt(processors.length)] ?? 0;
}

function kernelCommandLine({ name, number, machineId }: GuestIdentity): string[] {
  return [
    ...["root=/dev/ubda", "rw", "init=/lib/systemd/systemd", "quiet", "loglevel=3", "panic=-1"],
    // System calls by seccomp where the kernel can, otherwise by ptrace, which takes twice as long.
    "seccomp=auto",
    ...["fsck.mode=skip", "net.ifnames=0", "systemd.show_status=no"],
    ...[`systemd.machine_id=${machineId}`, `systemd.hostname=${name}`],
    `lab.identity=${name},${number},${machineId}`,
  ];
}

/** Leads a port on 127.0.0.1 to the machine's sshd. What it carries ends with it. */
export async function forwardSsh(machine: Machine, network: Network): Promise<ProcessIdentity> {
  const { identity, directory, sshPort, lifetime } = machine;
  const target = `TCP\\:${managementNetwork}.${identity.number}\\:22\\,connect-timeout=0.5`;
  const listener = `TCP-LISTEN:${sshPort},bind=127.0.0.1,reuseaddr,fork,backlog=64`;
  const inside = network.inside(["socat", "STDIO", target]).join(" ");
  return startInBackground(["socat", listener, `EXEC:${inside}`], {
    lifetime,
    logFile: join(directory, "ssh.log"),
  });
}
