import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildCli, buildLibrary } from "../../scripts/build-library.ts";
import { buildPulumi, type PulumiBuild } from "../../scripts/build-pulumi.ts";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { buildTypes } from "../../scripts/build-types.ts";
import { makeTempDirectory } from "./temp-directory.ts";

const execute = promisify(execFile);

/** What Pulumi's templates put into a program's package.json, and what breezeblock itself depends on. */
const programPackages = {
  "@pulumi/pulumi": "3.270.0",
  "@types/node": "24.19.2",
  ssh2: "1.17.0",
  "ts-node": "10.9.2",
  typescript: "5.9.3",
  "typescript-6": "npm:typescript@6.0.3",
  yaml: "2.9.1",
};

/** npm's commands, run by the node that runs the tests; it needs none of the user's own settings. */
export async function npm(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: directory,
  });
  return stdout;
}

/**
 * A directory whose `node_modules` has everything that Pulumi programs need except breezeblock: programs stand in folders
 * below it. Installed from the registry once for a machine, and kept.
 */
export async function programsDirectory(): Promise<string> {
  const manifest = JSON.stringify({ private: true, dependencies: programPackages });
  const version = createHash("sha256").update(manifest).digest("hex").slice(0, 12);
  const directory = join(tmpdir(), `breezeblock-test-pulumi-${version}`);
  if (existsSync(directory)) return directory;
  const draft = `${directory}.${process.pid}`;
  mkdirSync(draft);
  writeFileSync(join(draft, "package.json"), manifest);
  await npm(draft, "install", "--ignore-scripts", "--prefer-offline");
  try {
    renameSync(draft, directory);
  } catch (error) {
    // Another test process was faster.
    if (!existsSync(directory)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  return directory;
}

let packed: Promise<string> | undefined;

/** The npm package of this checkout as it would be published, built and packed once for each test file: a `.tgz`. */
export function packedPackage(): Promise<string> {
  packed ??= packPackage();
  return packed;
}

/** @param parts others than breezeblock's own, for a package of the same shape over another provider */
export async function packPackage(parts: PulumiBuild = {}): Promise<string> {
  const staging = makeTempDirectory();
  process.once("exit", () => rmSync(staging, { recursive: true, force: true }));
  for (const file of ["package.json", "LICENSE", "README.md", "CHANGELOG.md", "schema.json"]) {
    if (existsSync(repositoryFile(file))) cpSync(repositoryFile(file), join(staging, file));
  }
  await buildLibrary(join(staging, "dist"));
  await buildCli(join(staging, "dist/cli/breezeblock.js"));
  await buildPulumi(join(staging, "dist/pulumi"), parts);
  await buildTypes({ library: join(staging, "dist/types"), pulumi: join(staging, "dist/pulumi") });
  const [line = ""] = (await npm(staging, "pack")).trim().split("\n");
  return join(staging, line);
}

/** Puts a packed package into `directory/node_modules`, as npm does with one that has no dependencies left to install. */
export async function unpackPackage(tarball: string, directory: string): Promise<void> {
  const target = join(directory, "node_modules/breezeblock");
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  await execute("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"]);
}
