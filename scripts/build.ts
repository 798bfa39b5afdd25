/**
 * Builds what is shipped, into `dist/`.
 *
 *     node scripts/build.ts
 */
import { readFile } from "node:fs/promises";
import { buildConstructs } from "./build-constructs.ts";
import { buildCli, buildLibrary } from "./build-library.ts";
import { buildPulumi } from "./build-pulumi.ts";
import { buildTerraformProvider, repositoryFile } from "./build-terraform.ts";
import { buildTypes } from "./build-types.ts";

const { version } = JSON.parse(await readFile(repositoryFile("package.json"), "utf8")) as { version: string };

const terraformProvider = repositoryFile(`dist/terraform/terraform-provider-breezeblock_v${version}`);
await buildTerraformProvider({
  entry: repositoryFile("providers/terraform/main.ts"),
  outfile: terraformProvider,
});
process.stdout.write(`${terraformProvider}\n`);

await buildLibrary(repositoryFile("dist"));
await buildCli(repositoryFile("dist/cli/breezeblock.js"));
await buildPulumi(repositoryFile("dist/pulumi"));
await buildTypes({ library: repositoryFile("dist/types"), pulumi: repositoryFile("dist/pulumi") });
await buildConstructs(repositoryFile("dist/cdk"));
