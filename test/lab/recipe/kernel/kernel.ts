import { copyFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute } from "../../execute.ts";
import { unpackPackages } from "../debian.ts";

/** Linux as Debian patches it, and what compiles it: nothing of that comes from this machine. */
const packages = [
  "linux-source-6.12",
  ...["gcc", "libc6-dev", "make", "flex", "bison", "bc", "binutils", "xz-utils", "kmod", "mawk"],
];
const deadlineMs = 1_200_000;

/** Writes the kernel's program `linux` and its modules, `lib/modules`, into `output`. */
export async function makeKernel(output: string): Promise<void> {
  const root = mkdtempSync(join(output, "build-"));
  try {
    await unpackPackages(root, packages);
    for (const name of ["config", "build.sh"]) {
      copyFileSync(fileURLToPath(new URL(name, import.meta.url)), join(root, name));
    }
    const jobs = String(availableParallelism());
    await execute("chroot", [root, "sh", "/build.sh", jobs], { timeoutMs: deadlineMs });
    cpSync(join(root, "out"), output, { recursive: true });
  } finally {
    rmSync(root, { recursive: true });
  }
}
