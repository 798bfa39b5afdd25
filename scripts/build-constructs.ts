import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constructLibraries } from "../providers/cdk/index.ts";
import { repositoryFile } from "./build-terraform.ts";
import { writeConstructs } from "./generate-constructs.ts";

const compilerOptions = {
  target: "es2022",
  module: "nodenext",
  strict: true,
  skipLibCheck: true,
  declaration: true,
  types: ["node"],
};

/** Generates and compiles the constructs: `directory/cdktn` and `directory/cdktf`, an `index.js` each and a folder a class. */
export async function buildConstructs(directory: string): Promise<void> {
  // Below the repository, so that the compiler finds the libraries; of its own, as several builds may run at a time.
  await mkdir(repositoryFile(".gen"), { recursive: true });
  const sources = await mkdtemp(repositoryFile(".gen/build-"));
  try {
    await writeConstructs(sources);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await compile(sources, directory);
  } finally {
    await rm(sources, { recursive: true });
  }
}

async function compile(sources: string, directory: string): Promise<void> {
  await cp(join(sources, "package.json"), join(directory, "package.json"));
  const tsc = repositoryFile("node_modules/typescript/bin/tsc");
  await Promise.all(
    constructLibraries.map(async (library) => {
      const project = join(sources, `tsconfig.${library}.json`);
      const rootDir = join(sources, library, "providers/breezeblock");
      const outDir = join(directory, library);
      await writeFile(
        project,
        JSON.stringify({ compilerOptions: { ...compilerOptions, rootDir, outDir }, include: [rootDir] }),
      );
      await promisify(execFile)(process.execPath, [tsc, "-p", project]);
    }),
  );
}
