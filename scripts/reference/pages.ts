import { camelCase, pascalCase } from "../../providers/pulumi/names.ts";
import type { DataSource, Ephemeral, Provider, Resource } from "../../resources/schema/index.ts";
import { exampleBody } from "./examples.ts";
import { argumentTables, attributeTables, table } from "./tables.ts";

const generated =
  "<!-- Generated from the declarations in resources/ by `npm run generate`. Do not edit. -->\n\n";

const spellingNote =
  "Where two spellings stand, the first is that of Terraform, OpenTofu and YAML, the second that of Pulumi and constructs.\n";

/** The text of every page of the reference, by file name. */
export function referencePages(provider: Provider): ReadonlyMap<string, string> {
  return new Map([
    ["README.md", contents(provider)],
    ["provider.md", providerPage(provider)],
    ...provider.resources.map((resource): [string, string] => [
      `${resource.name}.md`,
      resourcePage(resource),
    ]),
    ...provider.dataSources.map((source): [string, string] => [
      `data-${source.name}.md`,
      dataSourcePage(source),
    ]),
    ...provider.ephemerals.map((ephemeral): [string, string] => [
      `ephemeral-${ephemeral.name}.md`,
      ephemeralPage(ephemeral),
    ]),
  ]);
}

function contents(provider: Provider): string {
  const entry = (file: string, name: string, description: string) => `- [${name}](${file}): ${description}\n`;
  return [
    generated,
    "# Reference\n\n",
    entry("provider.md", "Provider", "hosts, backends, owner and defaults."),
    "\nResources:\n\n",
    ...provider.resources.map(({ name, description }) =>
      entry(`${name}.md`, `\`breezeblock_${name}\``, description),
    ),
    "\nData sources:\n\n",
    ...provider.dataSources.map(({ name, description }) =>
      entry(`data-${name}.md`, `\`breezeblock_${name}\``, description),
    ),
    "\nEphemeral resources:\n\n",
    ...provider.ephemerals.map(({ name, description }) =>
      entry(`ephemeral-${name}.md`, `\`breezeblock_${name}\``, description),
    ),
  ].join("");
}

function providerPage({ description, attributes }: Provider): string {
  return [
    generated,
    `# The provider\n\n${description}\n\n`,
    "The same settings stand in the provider block of Terraform and OpenTofu, in a YAML file that `config_file` names, in\n",
    "the stack configuration of Pulumi (`breezeblock:hosts`, `breezeblock:backends`, …; either spelling), and in\n",
    "`BreezeblockProvider` of the constructs.\n",
    section("Example", code("hcl", `provider "breezeblock" {\n${exampleBody(attributes, "hcl")}}\n`)),
    section("Arguments", `${spellingNote}\n${argumentTables(attributes)}`),
  ].join("");
}

function resourcePage(resource: Resource): string {
  const { name, description, attributes } = resource;
  const type = pascalCase(name);
  const label = name === "volume" ? "db" : "example";
  const examples = [
    code("hcl", `resource "breezeblock_${name}" "${label}" {\n${exampleBody(attributes, "hcl")}}\n`),
    code(
      "typescript",
      `const ${label} = new breezeblock.${type}("${label}", {\n${exampleBody(attributes, "typescript")}});\n`,
    ),
  ];
  return [
    generated,
    `# breezeblock_${name}\n\n${description}\n\n`,
    names(`breezeblock_${name}`, `breezeblock.${type}`, type, name),
    section("Example", `Terraform and OpenTofu:\n\n${examples[0]}\nPulumi:\n\n${examples[1]}`),
    section("Arguments", `${spellingNote}\n${argumentTables(attributes)}`),
    section("Attributes", attributeTables(attributes)),
    section("Import", importForms(resource)),
    section("Timeouts", timeouts(resource.timeouts)),
  ].join("");
}

function dataSourcePage({ name, description, attributes, readTimeout }: DataSource): string {
  const call = camelCase(`get_${name}`);
  const arguments_ = exampleBody(attributes, "typescript");
  const examples = [
    code("hcl", `data "breezeblock_${name}" "example" {\n${exampleBody(attributes, "hcl")}}\n`),
    code(
      "typescript",
      `const example = await breezeblock.${call}(${arguments_ === "" ? "" : `{\n${arguments_}}`});\n`,
    ),
  ];
  return [
    generated,
    `# Data source breezeblock_${name}\n\n${description}\n\n`,
    names(
      `breezeblock_${name}`,
      `breezeblock.${call}`,
      `DataBreezeblock${pascalCase(name)}`,
      `data-breezeblock-${name}`,
    ),
    section("Example", `Terraform and OpenTofu:\n\n${examples[0]}\nPulumi:\n\n${examples[1]}`),
    section("Arguments", `${spellingNote}\n${argumentTables(attributes)}`),
    section("Attributes", attributeTables(attributes)),
    section("Timeouts", timeouts({ read: readTimeout })),
  ].join("");
}

function ephemeralPage({ name, description, attributes, readTimeout }: Ephemeral): string {
  const call = camelCase(`get_${name}`);
  const examples = [
    code("hcl", `ephemeral "breezeblock_${name}" "example" {\n${exampleBody(attributes, "hcl")}}\n`),
    code(
      "typescript",
      `const example = breezeblock.${call}({\n${exampleBody(attributes, "typescript")}});\n`,
    ),
  ];
  return [
    generated,
    `# Ephemeral resource breezeblock_${name}\n\n${description}\n\n`,
    "Terraform has ephemeral resources from 1.10 on, OpenTofu from 1.11 on. Pulumi knows nothing alike: there it is a function\n",
    "whose whole result is a secret. cdktf knows nothing alike either.\n\n",
    engineNames(`breezeblock_${name}`, `breezeblock.${call}`, [
      "constructs",
      `\`EphemeralBreezeblock${pascalCase(name)}\` from \`breezeblock/cdktn/ephemeral-breezeblock-${name}\``,
    ]),
    section("Example", `Terraform and OpenTofu:\n\n${examples[0]}\nPulumi:\n\n${examples[1]}`),
    section("Arguments", `${spellingNote}\n${argumentTables(attributes)}`),
    section("Attributes", attributeTables(attributes)),
    section("Timeouts", timeouts({ read: readTimeout })),
  ].join("");
}

function names(terraform: string, pulumi: string, construct: string, folder: string): string {
  return engineNames(terraform, pulumi, [
    "constructs",
    `\`${construct}\` from \`breezeblock/cdktn/${folder}\` (or \`breezeblock/cdktf/${folder}\`)`,
  ]);
}

function engineNames(terraform: string, pulumi: string, ...more: readonly (readonly string[])[]): string {
  const rows = [["Terraform, OpenTofu", `\`${terraform}\``], ["Pulumi", `\`${pulumi}\``], ...more];
  return table(["engine", "name"], rows);
}

function importForms({ name, attributes, identity, notImported }: Resource): string {
  if (notImported !== undefined) return `It cannot be imported or adopted. ${notImported}.\n`;
  const byName = Object.hasOwn(attributes, "name");
  const label = name === "volume" ? "db" : "example";
  const id = "fast/6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11";
  const forms = [`\`<backend>/<uuid>\`${byName ? " or `<backend>/<name>`" : ""}`];
  const parts = Object.keys(identity).map((part) => `\`${part}\``);
  return [
    `Import by ${forms.join("")}, or by resource identity (${parts.join(", ")}). An import changes nothing on the host.\n`,
    "Afterwards the plan is empty when what is written is what is there.\n\n",
    code("hcl", `import {\n  to = breezeblock_${name}.${label}\n  id = "${byName ? "fast/db" : id}"\n}\n`),
    `\nIn Pulumi, the argument \`adopt\` takes the same: \`adopt: "${byName ? "fast/db" : id}"\`.\n`,
  ].join("");
}

function timeouts(limits: Readonly<Record<string, number>>): string {
  const rows = Object.entries(limits).map(([operation, limit]) => [
    `\`${operation}\``,
    `${limit / 60_000} min`,
  ]);
  const [first = ""] = Object.keys(limits);
  return [
    `An operation that takes longer is stopped with an error. To set a limit, as in \`timeouts = { ${first} = "90m" }\`, give\n`,
    'a duration such as `"90s"`, `"30m"` or `"1h30m"`. The limits by default:\n\n',
    table(["operation", "limit"], rows),
  ].join("");
}

function section(title: string, text: string): string {
  return text === "" ? "" : `\n## ${title}\n\n${text}`;
}

function code(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\`\`\`\n`;
}
