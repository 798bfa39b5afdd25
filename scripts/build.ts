/**
 * Builds what is shipped, into `dist/`.
 *
 *     node scripts/build.ts
 */
import { readFile } from "node:fs/promises";
import { buildTerraformProvider, repositoryFile } from "./build-terraform.ts";

const { version } = JSON.parse(await readFile(repositoryFile("package.json"), "utf8")) as { version: string };

const terraformProvider = repositoryFile(`dist/terraform/terraform-provider-breezeblock_v${version}`);
await buildTerraformProvider({
  entry: repositoryFile("providers/terraform/main.ts"),
  outfile: terraformProvider,
});
process.stdout.write(`${terraformProvider}\n`);
