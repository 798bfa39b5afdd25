import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, hashOf } from "./cache.ts";
import { execute } from "./execute.ts";
import { makeKernel } from "./recipe/kernel/kernel.ts";
import { makeRootFileSystem } from "./recipe/root-file-system.ts";

/** What guests boot: made from Debian packages, the same for every role. */
export interface Image {
  /** The kernel: a program of this machine. */
  readonly kernel: string;
  /** A raw disk with an ext4 file system and no partitions; guests write beside it. */
  readonly rootDisk: string;
  /** Logs in as `root` and as `storage` on every guest. */
  readonly privateKeyFile: string;
  /** The host key that every guest shows, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

const files = ["root.raw", "id_ed25519", "host_key"] as const;
const [rootDisk, privateKey, hostKey] = files;
const kernelFiles = ["linux", "lib/modules"] as const;
const [kernel] = kernelFiles;
const rootDiskSize = 2 * 1024 ** 3;

/** The image, built by the recipe in `recipe/` unless the cache has it. Building takes root. */
export async function findImage(report: (step: string) => void): Promise<Image> {
  const kernelDirectory = cached({
    kind: "kernel",
    key: hashOf([recipe("kernel"), recipe("apt-sources.ts"), recipe("debian.ts"), recipe("packages.ts")]),
    files: kernelFiles,
    make: (building) => {
      report("compiling the guests' kernel, which takes minutes, once");
      return makeKernel(building, report);
    },
  });
  // It is waited for where it is needed.
  kernelDirectory.catch(() => {});
  const directory = await cached({
    kind: "image",
    key: hashOf([recipe("")]),
    files,
    make: (building) => {
      report("building the guests' image from Debian packages");
      return makeImage(building, kernelDirectory);
    },
  });
  return {
    kernel: join(await kernelDirectory, kernel),
    rootDisk: join(directory, rootDisk),
    privateKeyFile: join(directory, privateKey),
    hostKey: readFileSync(join(directory, hostKey), "utf8").trim(),
  };
}

function recipe(name: string): string {
  return fileURLToPath(new URL(`recipe/${name}`, import.meta.url));
}

async function makeImage(directory: string, kernelDirectory: Promise<string>): Promise<void> {
  const keyFile = join(directory, privateKey);
  await execute("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "breezeblock-lab", "-f", keyFile]);
  const root = mkdtempSync(join(directory, "root-"));
  const made = await makeRootFileSystem(root, readFileSync(`${keyFile}.pub`, "utf8"));
  writeFileSync(join(directory, hostKey), `${made.hostKey}\n`);
  await addModules(root, join(await kernelDirectory, "lib/modules"));
  await makeRootDisk(root, join(directory, rootDisk));
  rmSync(root, { recursive: true });
}

async function addModules(root: string, modules: string): Promise<void> {
  cpSync(modules, join(root, "lib/modules"), { recursive: true });
  for (const release of readdirSync(modules)) await execute("chroot", [root, "depmod", release]);
}

async function makeRootDisk(root: string, file: string): Promise<void> {
  writeFileSync(file, "");
  truncateSync(file, rootDiskSize);
  // With a journal: tests cut the power.
  const options = [
    "-q",
    "-F",
    "-m",
    "0",
    "-O",
    "^metadata_csum",
    "-E",
    "lazy_itable_init=1,lazy_journal_init=1",
  ];
  await execute("mkfs.ext4", [...options, "-L", "root", "-d", root, file]);
}
