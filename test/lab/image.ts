import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, hashOf } from "./cache.ts";
import { execute } from "./execute.ts";
import { makeKernel } from "./recipe/kernel.ts";
import { makeRootFileSystem } from "./recipe/root-file-system.ts";

/** What guests boot: made from Debian packages, the same for every role. */
export interface Image {
  /** Names the image in the cache; another recipe has another. */
  readonly key: string;
  readonly directory: string;
  readonly kernel: string;
  readonly initialRamDisk: string;
  /** A raw disk with an ext4 file system and no partitions; only ever a backing file. */
  readonly rootDisk: string;
  /** Logs in as `root` and as `storage` on every guest. */
  readonly privateKeyFile: string;
  /** The host key that every guest shows, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

const files = ["vmlinux", "initrd.img", "root.raw", "id_ed25519", "host_key"] as const;
const [kernel, initialRamDisk, rootDisk, privateKey, hostKey] = files;
const rootDiskSize = "2G";

/** The image, built by the recipe in `recipe/` unless the cache has it. Building takes root. */
export async function findImage(report: (step: string) => void): Promise<Image> {
  const key = hashOf([fileURLToPath(new URL("recipe", import.meta.url))]);
  const directory = await cached({
    kind: "image",
    key,
    files,
    make: (building) => {
      report("building the guests' image from Debian packages");
      return makeImage(building);
    },
  });
  return {
    key,
    directory,
    kernel: join(directory, kernel),
    initialRamDisk: join(directory, initialRamDisk),
    rootDisk: join(directory, rootDisk),
    privateKeyFile: join(directory, privateKey),
    hostKey: readFileSync(join(directory, hostKey), "utf8").trim(),
  };
}

async function makeImage(directory: string): Promise<void> {
  const keyFile = join(directory, privateKey);
  await execute("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "breezeblock-lab", "-f", keyFile]);
  const root = mkdtempSync(join(directory, "root-"));
  // It becomes the guests' root directory, which others than root must be able to enter.
  chmodSync(root, 0o755);
  const made = await makeRootFileSystem(root, readFileSync(`${keyFile}.pub`, "utf8"));
  writeFileSync(join(directory, hostKey), `${made.hostKey}\n`);
  await makeKernel(root, directory);
  await makeRootDisk(root, join(directory, rootDisk));
  rmSync(root, { recursive: true });
}

async function makeRootDisk(root: string, file: string): Promise<void> {
  await execute("qemu-img", ["create", "-q", "-f", "raw", file, rootDiskSize]);
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
