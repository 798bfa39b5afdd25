import type { Accelerator } from "./accelerator.ts";
import type { GuestIdentity } from "./identity.ts";
import type { Image } from "./image.ts";

/** Bytes of memory of a guest. */
export const memorySize = 1024 ** 3;

/** The disks of a guest besides its root disk, in bytes: `/dev/vdb` and `/dev/vdc`. */
export const dataDiskSizes: readonly number[] = [16 * 1024 ** 3, 12 * 1024 ** 3];

export interface Hardware {
  readonly image: Image;
  readonly accelerator: Accelerator;
  readonly identity: GuestIdentity;
  /** A qcow2 file. */
  readonly rootDisk: string;
  /** qcow2 files, or raw ones that end in `.raw`. */
  readonly dataDisks: readonly string[];
  /** The file that holds the guest's memory; `shared` writes changes to it. Without it: anonymous memory. */
  readonly memory?: { readonly file: string; readonly shared: boolean };
  /** The port on 127.0.0.1 that leads to the guest's sshd. */
  readonly sshPort: number;
  /** What stands behind the guest's storage NICs: values of `-netdev` without their `id`. */
  readonly storageNetworks: readonly string[];
  readonly consoleFile: string;
}

/**
 * QEMU's arguments for a guest. A frozen guest can only be restored into the same machine, so that this is
 * the one place that says what a guest is made of.
 */
export function hardwareArguments(hardware: Hardware): string[] {
  const { image, identity, memory } = hardware;
  const megabytes = memorySize / 1024 ** 2;
  const machine = memory === undefined ? "q35" : "q35,memory-backend=memory";
  return [
    ...["-name", identity.name, "-machine", machine, "-smp", "1", "-m", String(megabytes)],
    ...hardware.accelerator.arguments,
    ...(memory === undefined
      ? []
      : [
          "-object",
          `memory-backend-file,id=memory,size=${megabytes}M,mem-path=${memory.file},share=${memory.shared ? "on" : "off"}`,
        ]),
    ...["-kernel", image.kernel, "-initrd", image.initialRamDisk, "-append", kernelCommandLine(identity)],
    ...["-serial", `file:${hardware.consoleFile}`],
    ...[hardware.rootDisk, ...hardware.dataDisks].flatMap(diskArguments),
    ...["-netdev", `user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:${hardware.sshPort}-:22`],
    ...["-device", "virtio-net-pci,netdev=net0,mac=52:54:00:77:00:01,romfile="],
    ...hardware.storageNetworks.flatMap((network, index) => [
      ...["-netdev", network.replace(",", `,id=net${index + 1},`)],
      ...["-device", `virtio-net-pci,netdev=net${index + 1},romfile=`],
    ]),
    ...["-device", "virtio-rng-pci"],
  ];
}

/**
 * The clock is the emulated HPET: a kernel that boots while this machine is busy takes its processor's own counter
 * for slower than it is, and its time then runs several times too fast.
 */
function kernelCommandLine({ name, number, machineId }: GuestIdentity): string {
  return [
    ...["console=ttyS0", "quiet", "loglevel=3", "mitigations=off", "nokaslr", "net.ifnames=0", "rw"],
    ...["random.trust_cpu=on", "clocksource=hpet", "no_timer_check", "panic=-1", "fsck.mode=skip"],
    ...["systemd.show_status=no", `systemd.machine_id=${machineId}`, `systemd.hostname=${name}`],
    `lab.identity=${name},${number},${machineId}`,
  ].join(" ");
}

/** Nothing on a guest's disk outlives this machine: it need not be flushed to the real disk. */
function diskArguments(file: string, index: number): string[] {
  const format = file.endsWith(".raw") ? "raw" : "qcow2";
  const drive = `if=none,id=disk${index},file=${file},format=${format},cache=unsafe,discard=unmap,detect-zeroes=unmap`;
  return ["-drive", drive, "-device", `virtio-blk-pci,drive=disk${index},serial=lab-disk${index}`];
}
