/**
 * Fills the examples in README.md and docs/*.md from the files that the tests run.
 *
 *     node scripts/sync-docs.ts [--check]
 *
 * The code block after `<!-- example: path/of/file -->` holds that file. `--check` writes nothing and fails when one does
 * not.
 */
import { glob, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { repositoryFile } from "./build-terraform.ts";

const marked = /(<!-- example: (\S+) -->\n+```\w*\n)([\s\S]*?)(```\n)/g;

/** `text` with every marked block filled. @param read the text of a file of the repository */
export async function withExamples(text: string, read: (path: string) => Promise<string>): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(marked)) {
    const [whole, opening = "", path = "", , closing = ""] = match;
    const file = await read(path);
    parts.push(text.slice(end, match.index), opening, file.endsWith("\n") ? file : `${file}\n`, closing);
    end = match.index + whole.length;
  }
  return [...parts, text.slice(end)].join("");
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  for await (const document of glob(["README.md", "docs/*.md"], { cwd: repositoryFile("") })) {
    const file = repositoryFile(document);
    const before = await readFile(file, "utf8");
    const after = await withExamples(before, (path) => readFile(repositoryFile(path), "utf8"));
    if (after === before) continue;
    if (values.check) {
      process.stderr.write(
        `An example in ${document} is not the file that it shows; run npm run generate.\n`,
      );
      process.exitCode = 1;
    } else {
      await writeFile(file, after);
    }
  }
}

if (import.meta.main) await main();
