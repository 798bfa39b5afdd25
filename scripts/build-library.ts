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

/** Builds the entry points `breezeblock` itself and `breezeblock/scheduler`: `index.js` and `scheduler.js` in `outdir`. */
export async function buildLibrary(outdir: string): Promise<void> {
  const entryPoints = {
    index: repositoryFile("src/index.ts"),
    scheduler: repositoryFile("src/scheduler/index.ts"),
  };
  await build({ ...options, entryPoints, outdir });
}

/** Builds the command `breezeblock`. */
export async function buildCli(outfile: string): Promise<void> {
  await build({ ...options, entryPoints: [repositoryFile("src/cli/main.ts")], outfile });
  await chmod(outfile, 0o755);
}
