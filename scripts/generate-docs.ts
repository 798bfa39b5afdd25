/**
 * Writes `docs/reference/` from the declarations in `resources/`.
 *
 *     node scripts/generate-docs.ts [--check]
 *
 * `--check` writes nothing and fails when a page is not what it would write.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { provider } from "../resources/index.ts";
import { repositoryFile } from "./build-terraform.ts";
import { referencePages } from "./reference/pages.ts";

const directory = repositoryFile("docs/reference");
const pages = referencePages(provider);

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
await mkdir(directory, { recursive: true });
const stale: string[] = (await readdir(directory)).filter((file) => !pages.has(file));
for (const [file, text] of pages) {
  if ((await readFile(join(directory, file), "utf8").catch(() => "")) !== text) stale.push(file);
}
if (values.check) {
  for (const file of stale) {
    process.stderr.write(`docs/reference/${file} does not match the declarations; run npm run generate.\n`);
    process.exitCode = 1;
  }
} else {
  for (const file of stale) {
    const text = pages.get(file);
    if (text === undefined) await rm(join(directory, file));
    else await writeFile(join(directory, file), text);
  }
}
