import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * The start of the executable: a shell script, which hands the file over to Node.js, in what is also a line of JavaScript.
 * A plain `#!/usr/bin/env node` would not do: below a package.json that says `"type": "module"`, as in any modern TypeScript
 * project that keeps its `.terraform` directory, Node.js refuses to run a file whose name ends in `_v1.2.3`. `require` does not.
 * The version is checked before anything is parsed that an old Node.js could not read.
 */
function launcher(minimum: readonly [number, number]): string {
  const [major, minor] = minimum;
  const start =
    `var v=process.versions.node.split(".").map(Number);` +
    `if(v[0]<${major}||v[0]===${major}&&v[1]<${minor}){` +
    `process.stderr.write("breezeblock needs Node.js ${major}.${minor} or later; the node on PATH is "+process.version+".\\n");` +
    `process.exit(1)}` +
    // Compiled code is kept for the next start; where it cannot be, nothing is said.
    `var p=process.platform,e=process.env,h=e.HOME,c=e.XDG_CACHE_HOME||h&&h+(p==="darwin"?"/Library/Caches":"/.cache");` +
    `if(c)require("node:module").enableCompileCache(c+"/breezeblock");` +
    `require(require("node:path").resolve(process.argv[1]))`;
  const missing = `breezeblock needs Node.js ${major}.${minor} or later; there is no node on PATH.`;
  return `#!/bin/sh\n":" //; command -v node >/dev/null || { echo "${missing}" >&2; exit 1; }; exec node -e '${start}' "$0" "$@"\n`;
}

export interface TerraformBuild {
  /** The program, such as `providers/terraform/main.ts`. */
  readonly entry: string;
  readonly outfile: string;
}

/** Bundles a provider program into one executable file. */
export async function buildTerraformProvider({ entry, outfile }: TerraformBuild): Promise<void> {
  const result = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    target: "node22.12",
    minify: true,
    // The native helpers of ssh2, which goes without where they cannot be loaded.
    external: ["*.node"],
    legalComments: "none",
    logLevel: "error",
  });
  const [bundle] = result.outputFiles;
  if (bundle === undefined) throw new Error(`esbuild wrote nothing for ${entry}.`);
  await mkdir(dirname(outfile), { recursive: true });
  await writeFile(outfile, launcher([22, 12]) + bundle.text);
  await chmod(outfile, 0o755);
}

export function repositoryFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
