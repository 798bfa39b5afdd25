/**
 * Writes the constructs for `schema.json`, as TypeScript, to `.gen/`; `npm run build` compiles them into `dist/cdk/`.
 *
 *     node scripts/generate-constructs.ts
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { constructLibraries, generateConstructs } from "../providers/cdk/index.ts";
import { repositoryFile } from "./build-terraform.ts";

/** Returns the directory that holds the constructs of each library, in one of the library's name. */
export async function writeConstructs(): Promise<string> {
  const directory = repositoryFile(".gen");
  await rm(directory, { recursive: true, force: true });
  await Promise.all(
    constructLibraries.map((library) =>
      generateConstructs(library, repositoryFile("schema.json"), join(directory, library)),
    ),
  );
  // They are CommonJS, as the libraries are.
  await writeFile(join(directory, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
  return directory;
}

if (import.meta.main) await writeConstructs();
