import { execFile } from "node:child_process";
import { cp, glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { repositoryFile } from "./build-terraform.ts";

/** The declarations that `breezeblock/pulumi` consists of. */
const pulumiDeclarations = ["index.d.ts", "resource-class.d.ts", "generated/resources.d.ts"];

export interface TypesBuild {
  /** Where the declarations of the whole library go. */
  readonly library: string;
  /** Where those of `breezeblock/pulumi` go. */
  readonly pulumi: string;
}

/** Writes the type declarations of the package's entry points. */
export async function buildTypes({ library, pulumi }: TypesBuild): Promise<void> {
  await rm(library, { recursive: true, force: true });
  const tsc = repositoryFile("node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", library], {
    cwd: repositoryFile(""),
  });
  for await (const file of glob("**/*.d.ts", { cwd: library })) await importJavaScript(join(library, file));
  for (const file of pulumiDeclarations) {
    await mkdir(dirname(join(pulumi, file)), { recursive: true });
    await cp(join(library, "providers/pulumi", file), join(pulumi, file));
  }
  // The code there is CommonJS, and so its declarations must be.
  await writeFile(join(pulumi, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
}

/** The compiler leaves imports of .ts files as they are, which only TypeScript sources may have. */
async function importJavaScript(file: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace(/((?:from|import)\s*\(?\s*"\.[^"]*)\.ts"/g, '$1.js"'));
}
