import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, execute } from "./execute.ts";

/** How guests' processors are brought about. */
export interface Accelerator {
  /** Names it, with all that a frozen guest needs to find again: QEMU's version, for KVM the processor. */
  readonly key: string;
  readonly arguments: readonly string[];
  /** Milliseconds that a boot may take, on a busy machine too; one that takes longer hangs. */
  readonly bootDeadlineMs: number;
}

/** The code cache is bounded: by default an emulated guest's grows to a quarter of this machine's memory. */
const emulation = ["-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max"];
const virtualization = ["-accel", "kvm", "-cpu", "host"];

/** The accelerators that work here, best first. Emulation always does. */
export async function findAccelerators(): Promise<Accelerator[]> {
  const version = (await execute("qemu-system-x86_64", ["--version"])).split("\n")[0] ?? "";
  const emulated = { key: `tcg ${version}`, arguments: emulation, bootDeadlineMs: 300_000 };
  if (!(await runsCode(virtualization))) return [emulated];
  const processor = /^model name\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
  return [
    { key: `kvm ${version} ${processor}`, arguments: virtualization, bootDeadlineMs: 60_000 },
    emulated,
  ];
}

/**
 * Whether a processor that QEMU makes with `args` runs anything: some machines have a /dev/kvm that opens and
 * then fails. The firmware tried is 64 KiB that write 1 to a port which makes QEMU exit with 2 × 1 + 1.
 */
async function runsCode(args: readonly string[]): Promise<boolean> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const firmware = Buffer.alloc(65_536, 0xf4);
  // At the reset vector: mov dx, 0xf4; mov al, 1; out dx, al; hlt
  Buffer.from("baf400b001eef4", "hex").copy(firmware, 0xfff0);
  const directory = mkdtempSync(join(tmpdir(), "breezeblock-lab-probe-"));
  const file = join(directory, "firmware");
  try {
    writeFileSync(file, firmware);
    const probe = ["-nodefaults", "-display", "none", "-machine", "q35", ...args, "-bios", file];
    probe.push("-device", "isa-debug-exit,iobase=0xf4,iosize=4");
    return (await attempt("qemu-system-x86_64", probe, { timeoutMs: 10_000 })).status === 3;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
