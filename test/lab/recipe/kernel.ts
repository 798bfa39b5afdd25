import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute } from "../execute.ts";
import { kernelPackage } from "./packages.ts";
import { unpackKernel } from "./unpack-kernel.ts";

/** What the initial RAM disk needs to find the root disk; the network is up before systemd asks for it. */
const earlyModules = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "ext4"];

/** Writes `vmlinux` and `initrd.img` into `output` from the kernel in `root`, which keeps only its modules. */
export async function makeKernel(root: string, output: string): Promise<void> {
  const release = readdirSync(join(root, "lib/modules"))[0];
  if (release === undefined) throw new Error(`${kernelPackage} brought no kernel modules.`);
  await execute("chroot", [root, "depmod", release]);
  await unpackKernel(join(root, "boot", `vmlinuz-${release}`), join(output, "vmlinux"));
  rmSync(join(root, "boot"), { recursive: true });
  const directory = mkdtempSync(join(output, "initrd-"));
  await makeInitialRamDisk(root, release, join(output, "initrd.img"), directory);
  rmSync(directory, { recursive: true });
}

async function makeInitialRamDisk(
  root: string,
  release: string,
  output: string,
  directory: string,
): Promise<void> {
  for (const name of ["bin", "modules", "proc", "dev", "root"]) {
    mkdirSync(join(directory, name), { recursive: true });
  }
  copyFileSync(join(root, "bin/busybox"), join(directory, "bin/busybox"));
  const init = join(directory, "init");
  copyFileSync(fileURLToPath(new URL("initrd-init.sh", import.meta.url)), init);
  chmodSync(init, 0o755);
  const files = new Set<string>();
  for (const module of earlyModules) {
    const shown = await execute("chroot", [root, "modprobe", "-S", release, "--show-depends", module]);
    for (const [, file] of shown.matchAll(/^insmod (\S+)/gm)) if (file !== undefined) files.add(file);
  }
  for (const file of files) copyFileSync(join(root, file), join(directory, "modules", basename(file)));
  writeFileSync(join(directory, "modules/order"), `${[...files].map((file) => basename(file)).join("\n")}\n`);
  const script = 'cd "$1" && find . | "$2" cpio -o -H newc';
  const busybox = join(directory, "bin/busybox");
  await execute("sh", ["-c", `${script} >"$3"`, "sh", directory, busybox, output]);
}
