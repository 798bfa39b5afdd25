import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** CDK Terrain, which is kept up, and CDKTF, its archived origin: the same constructs over either. */
export const constructLibraries = ["cdktn", "cdktf"] as const;
export type ConstructLibrary = (typeof constructLibraries)[number];

const generator = fileURLToPath(new URL("./generator.ts", import.meta.url));

/**
 * Writes the constructs for a schema, as TypeScript, below `directory/providers/breezeblock/`.
 *
 * @param schemaFile as `terraform providers schema -json` prints it
 */
export async function generateConstructs(
  library: ConstructLibrary,
  schemaFile: string,
  directory: string,
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "breezeblock-constructs-"));
  try {
    // The generators run `terraform version` and report errors to their makers, unless they are kept from it. They go by
    // the environment at the time when they are loaded: hence a process of their own.
    await promisify(execFile)(process.execPath, [generator, library, schemaFile, directory], {
      env: { PATH: dirname(process.execPath), HOME: home, CHECKPOINT_DISABLE: "1" },
    });
  } finally {
    await rm(home, { recursive: true });
  }
}
