/**
 * Writes the typed Pulumi classes from the declarations of resources.
 *
 *     node scripts/generate-pulumi.ts [--check]
 *
 * `--check` writes nothing and fails when the file is not what it would write.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { generateClasses } from "../providers/pulumi/generate.ts";
import { provider } from "../resources/index.ts";

const target = new URL("../providers/pulumi/generated/resources.ts", import.meta.url);
const text = generateClasses(provider);

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
if (!values.check) {
  await writeFile(target, text);
} else if ((await readFile(target, "utf8").catch(() => "")) !== text) {
  process.stderr.write(
    "providers/pulumi/generated does not match the declarations; run node scripts/generate-pulumi.ts.\n",
  );
  process.exitCode = 1;
}
