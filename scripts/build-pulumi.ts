import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { repositoryFile } from "./build-terraform.ts";

export interface PulumiBuild {
  /** The module with the typed classes. */
  readonly classes?: string;
  /** The module that exports the `runtime`. */
  readonly runtime?: string;
}

/**
 * Builds `breezeblock/pulumi` into `directory`: `index.cjs` for programs (CommonJS and ESM alike) and `runtime.cjs` for the
 * provider's process, with the packages they need left outside.
 */
export async function buildPulumi(directory: string, parts: PulumiBuild = {}): Promise<void> {
  const options = {
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node22.12",
    packages: "external",
    logLevel: "warning",
  } as const;
  await build({
    ...options,
    entryPoints: [parts.classes ?? repositoryFile("providers/pulumi/index.ts")],
    outfile: join(directory, "index.cjs"),
    plugins: [runtimeApart],
  });
  await build({
    ...options,
    entryPoints: [parts.runtime ?? repositoryFile("providers/pulumi/serve.ts")],
    outfile: join(directory, "runtime.cjs"),
  });
}

/** Leaves the runtime out of the classes, to be loaded when it is first used. */
const runtimeApart: Plugin = {
  name: "runtime-apart",
  setup(bundle) {
    bundle.onResolve({ filter: /\/serve\.ts$/ }, () => ({ path: "./runtime.cjs", external: true }));
  },
};
