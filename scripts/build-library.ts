import { chmod } from "node:fs/promises";
import { build } from "esbuild";
import { repositoryFile } from "./build-terraform.ts";

const options = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22.12",
  packages: "external",
  logLevel: "warning",
} as const;

/** Builds the entry point `breezeblock` itself. */
export async function buildLibrary(outfile: string): Promise<void> {
  await build({ ...options, entryPoints: [repositoryFile("src/index.ts")], outfile });
}

/** Builds the command `breezeblock`. */
export async function buildCli(outfile: string): Promise<void> {
  await build({ ...options, entryPoints: [repositoryFile("src/cli/main.ts")], outfile });
  await chmod(outfile, 0o755);
}
