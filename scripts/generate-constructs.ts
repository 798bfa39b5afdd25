/**
 * Writes the constructs for `schema.json`, as TypeScript, to `.gen/`; `npm run build` compiles them into `dist/cdk/`.
 *
 *     node scripts/generate-constructs.ts
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { constructLibraries, generateConstructs } from "../providers/cdk/index.ts";
import { repositoryFile } from "./build-terraform.ts";

/** Writes the constructs for each library into a folder of its name in `directory`. */
export async function writeConstructs(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all(
    constructLibraries.map(async (library) => {
      const target = join(directory, library);
      await rm(target, { recursive: true, force: true });
      await generateConstructs(library, repositoryFile("schema.json"), target);
    }),
  );
  // They are CommonJS, as the libraries are.
  await writeFile(join(directory, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
}

if (import.meta.main) await writeConstructs(repositoryFile(".gen"));
