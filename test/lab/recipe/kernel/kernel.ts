import { copyFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute } from "../../execute.ts";
import { unpackPackages } from "../debian.ts";

/** Packages with the source of Linux as Debian patches it. */
interface Source {
  readonly packages?: readonly string[];
  readonly backported?: readonly string[];
}

/**
 * The newest that Debian backports: kernels before 6.16 can only trace their processes, which takes twice as long. Its
 * version changes by itself; one that cannot be had, or not be compiled, is no reason to have no lab.
 */
const newest: Source = { backported: ["linux-source"] };
const fallback: Source = { packages: ["linux-source-6.12"] };

/** What compiles it: nothing of that comes from this machine. */
const compiler = ["gcc", "libc6-dev", "make", "flex", "bison", "bc", "binutils", "xz-utils", "kmod", "mawk"];
const deadlineMs = 1_200_000;

/** Writes the kernel's program `linux` and its modules, `lib/modules`, into `output`. */
export async function makeKernel(output: string, report: (step: string) => void): Promise<void> {
  try {
    await compile(newest, output);
  } catch (error) {
    report(`the newest kernel cannot be had, compiling an older one, which is slower (${String(error)})`);
    await compile(fallback, output);
  }
}

async function compile({ packages = [], backported }: Source, output: string): Promise<void> {
  const root = mkdtempSync(join(output, "build-"));
  try {
    await unpackPackages(root, [...compiler, ...packages], backported);
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
