import { readFile, writeFile } from "node:fs/promises";
import { generateClasses } from "../providers/pulumi/generate.ts";
import { provider } from "../resources/index.ts";

const file = new URL("../providers/pulumi/generated/resources.ts", import.meta.url);

/**
 * Writes the typed Pulumi classes from the declarations of resources.
 *
 * @returns whether the file was up to date already
 */
export async function generatePulumi(): Promise<boolean> {
  const wanted = generateClasses(provider);
  if ((await readFile(file, "utf8").catch(() => "")) === wanted) return true;
  await writeFile(file, wanted);
  return false;
}

if (import.meta.main) {
  const fresh = await generatePulumi();
  if (!fresh && process.argv.includes("--check")) {
    process.stderr.write(
      "providers/pulumi/generated was out of date; it has been written anew: commit it.\n",
    );
    process.exitCode = 1;
  }
}
