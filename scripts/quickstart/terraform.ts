import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine, EngineSetting, Outcome, Program } from "./engine.ts";
import type { EngineName } from "./options.ts";
import { runCommand } from "./run-command.ts";
import { terraformHighlights } from "./terraform-highlights.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const example = join(root, "examples/quickstart/terraform");
const providerDirectory = join(root, "dist/terraform");

/** Terraform or OpenTofu, which differ in nothing here, with `examples/quickstart/terraform`. */
export async function startTerraform(
  name: Exclude<EngineName, "pulumi">,
  setting: EngineSetting,
): Promise<Engine> {
  const { directory, host, volumes, signal } = setting;
  await mkdir(directory, { recursive: true });
  const cliConfiguration = join(directory, "cli.tfrc");
  await writeFile(cliConfiguration, developmentOverrides());
  await writeFile(
    join(directory, "host.auto.tfvars.json"),
    `${JSON.stringify(
      {
        storage_host: {
          address: host.address,
          port: host.port,
          user: host.user,
          private_key_file: host.privateKeyFile,
          host_key: host.hostKey,
        },
        directory: volumes,
      },
      null,
      2,
    )}\n`,
  );
  const settings = { TF_CLI_CONFIG_FILE: cliConfiguration, CHECKPOINT_DISABLE: "1" };
  // The provider is run by the node on PATH: the one that runs the quickstart.
  const nodeDirectory = dirname(process.execPath);
  const environment = {
    ...settings,
    PATH: [nodeDirectory, process.env["PATH"] ?? ""].join(delimiter),
    HOME: directory,
    TMPDIR: directory,
    TF_INPUT: "0",
    TF_IN_AUTOMATION: "1",
  };
  const exports = Object.entries({ ...settings, PATH: `${nodeDirectory}${delimiter}$PATH` });
  await writeFile(
    join(directory, "environment.sh"),
    exports.map(([key, value]) => `export ${key}="${value}"\n`).join(""),
  );

  const run = async (...args: string[]) =>
    runCommand({ path: setting.path, args: [...args, "-no-color"], directory, environment, signal });
  const finish = async ([args, output, result]: readonly [
    readonly string[],
    string,
    Outcome["result"],
  ]): Promise<Outcome> => ({
    result,
    command: [name, ...args].join(" "),
    highlights: terraformHighlights(output),
    output,
  });
  const change = async (...args: string[]) => {
    const { exitCode, output } = await run(...args);
    return finish([args, output, exitCode === 0 ? "changed" : "failed"]);
  };
  const { output: version } = await run("version");

  return {
    title: version.match(/^(?:Terraform|OpenTofu) v\S+/m)?.[0] ?? name,
    hasClone: true,
    write: (program) => writeProgram(directory, program),
    async plan() {
      const args = ["plan", "-detailed-exitcode"];
      const { exitCode, output } = await run(...args);
      return finish([args, output, exitCode === 0 ? "unchanged" : exitCode === 2 ? "changed" : "failed"]);
    },
    apply: () => change("apply", "-auto-approve"),
    destroy: () => change("destroy", "-auto-approve"),
    byHand: [`cd ${directory}`, ". ./environment.sh", `${name} plan`],
  };
}

/** The example's files that `program` consists of, as they are; only the size is a setting. */
async function writeProgram(directory: string, program: Program): Promise<readonly string[]> {
  const files = [
    "main.tf",
    ...(program.copies ? ["copies.tf"] : []),
    ...(program.attached ? ["attachment.tf"] : []),
  ];
  for (const file of files) await copyFile(join(example, file), join(directory, file));
  const size = `size = ${program.size}`;
  await writeFile(join(directory, "terraform.tfvars"), `${size}\n`);
  return [`${files.join(", ")}; terraform.tfvars: ${size}`];
}

/** Both engines' names for `breezeblock/breezeblock`, taken from the build without `init`. */
function developmentOverrides(): string {
  const override = (registry: string) =>
    `    "${registry}/breezeblock/breezeblock" = ${JSON.stringify(providerDirectory)}\n`;
  const overrides = ["registry.terraform.io", "registry.opentofu.org"].map(override).join("");
  return `provider_installation {\n  dev_overrides {\n${overrides}  }\n  direct {}\n}\n`;
}
