/**
 * Writes `schema.json`: the provider's schema as `terraform providers schema -json` prints it.
 *
 *     node scripts/generate-schema.ts [--check]
 *
 * `--check` writes nothing and fails when the file is not what it would write.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { emitSchemaJson } from "../providers/terraform/index.ts";
import { provider } from "../resources/index.ts";

const target = new URL("../schema.json", import.meta.url);
const text = `${JSON.stringify(emitSchemaJson(provider), null, 2)}\n`;

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
if (!values.check) {
  await writeFile(target, text);
} else if ((await readFile(target, "utf8").catch(() => "")) !== text) {
  process.stderr.write("schema.json does not match the declarations; run node scripts/generate-schema.ts.\n");
  process.exitCode = 1;
}
