import { type Engine, findEngine } from "../support/engines.ts";
import { benchCreateOverSsh } from "./create.ts";
import { benchLvm } from "./lvm.ts";
import { type Comparison, formatComparison } from "./measure.ts";
import { benchPulumi } from "./pulumi.ts";
import { benchShell } from "./shell.ts";
import { benchStartup } from "./startup.ts";
import { benchCreate, benchTerraform } from "./terraform.ts";

/** Every measurement, by the name that selects it: `npm run bench -- shell startup`. */
const sections: Readonly<Record<string, () => Promise<readonly Comparison[]>>> = {
  shell: benchShell,
  startup: benchStartup,
  create: benchCreateOverSsh,
  lvm: benchLvm,
  "create-terraform": () => withEngine("terraform", benchCreate),
  "create-tofu": () => withEngine("tofu", benchCreate),
  terraform: () => withEngine("terraform", benchTerraform),
  tofu: () => withEngine("tofu", benchTerraform),
  pulumi: () => withEngine("pulumi", benchPulumi),
};

const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : Object.keys(sections)) {
  const section = sections[name];
  if (section === undefined) {
    console.error(`There is no measurement "${name}"; there are: ${Object.keys(sections).join(", ")}.`);
    process.exit(2);
  }
  for (const comparison of await section()) console.log(formatComparison(comparison));
}

async function withEngine<E extends Engine>(
  engine: E,
  bench: (engine: E) => Promise<readonly Comparison[]>,
): Promise<readonly Comparison[]> {
  const found = findEngine(engine);
  if (found.available) return bench(engine);
  console.log(`left out: ${found.reason}`);
  return [];
}
