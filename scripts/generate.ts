/**
 * Writes everything that is generated.
 *
 *     node scripts/generate.ts [--check]
 *
 * `--check` fails when a committed file is not what would be written. Constructs are build output and not committed.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { repositoryFile } from "./build-terraform.ts";

/** In an order in which each finds what it is made from. */
const committed = ["protocol", "schema", "pulumi", "docs"].map((name) => `scripts/generate-${name}.ts`);
const examplesInDocs = "scripts/sync-docs.ts";
const notCommitted = "scripts/generate-constructs.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const scripts = values.check ? [...committed, examplesInDocs] : [...committed, examplesInDocs, notCommitted];
const failed = scripts.filter((script) => {
  const args = [repositoryFile(script), ...(values.check ? ["--check"] : [])];
  return spawnSync(process.execPath, args, { stdio: "inherit" }).status !== 0;
});
if (failed.length > 0) process.exitCode = 1;
