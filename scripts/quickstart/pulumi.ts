import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import type { Engine, EngineSetting, Outcome, Program } from "./engine.ts";
import { QuickstartError } from "./narrator.ts";
import { pulumiHighlights } from "./pulumi-highlights.ts";
import { programUpTo } from "./pulumi-program.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const example = join(root, "examples/quickstart/pulumi");
const stack = "dev";

/** What Pulumi's exit code is where `--expect-no-changes` was not met. */
const unexpectedChanges = 7;

/** Pulumi with `examples/quickstart/pulumi`, its state in plain files in the working folder. */
export async function startPulumi(setting: EngineSetting): Promise<Engine> {
  const { directory, signal } = setting;
  await cp(example, directory, {
    recursive: true,
    filter: (source) => !/\/(node_modules|Pulumi\.[^/]+\.yaml)$/.test(source),
  });
  const text = await readFile(join(example, "index.ts"), "utf8");
  await linkPackages(directory);
  const project = await letNodeRunTypeScript(join(directory, "Pulumi.yaml"));
  const state = join(directory, ".state");
  await mkdir(state);
  const settings = {
    PULUMI_HOME: join(directory, ".pulumi-home"),
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "quickstart",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  // Pulumi's language host stands beside it; programs and providers are run by the node that runs the quickstart.
  const tools = [dirname(process.execPath), dirname(setting.path)].join(delimiter);
  const environment = {
    ...settings,
    PATH: [tools, process.env["PATH"] ?? ""].join(delimiter),
    HOME: directory,
    TMPDIR: directory,
  };
  const exports = Object.entries({ ...settings, PATH: `${tools}${delimiter}$PATH` });
  await writeFile(
    join(directory, "environment.sh"),
    exports.map(([key, value]) => `export ${key}="${value}"\n`).join(""),
  );

  const run = (...args: string[]) =>
    runCommand({
      path: setting.path,
      args: [...args, "--non-interactive", "--color", "never"],
      directory,
      environment,
      signal,
    });
  const outcome = (
    args: readonly string[],
    { output }: CommandResult,
    result: Outcome["result"],
  ): Outcome => ({
    result,
    command: ["pulumi", ...args].join(" "),
    highlights: pulumiHighlights(output),
    output,
  });
  const change = async (...args: string[]) => {
    const ended = await run(...args);
    return outcome(args, ended, ended.exitCode === 0 ? "changed" : "failed");
  };
  const { output: version } = await run("version");
  const { exitCode, output } = await run("stack", "init", stack);
  if (exitCode !== 0) throw new QuickstartError(`pulumi stack init failed:\n${output}`);

  return {
    title: `Pulumi ${version.trim()}`,
    hasClone: text.includes('"clone"'),
    write: (program) => writeProgram(setting, project, text, program),
    async plan() {
      const args = ["preview", "--refresh", "--expect-no-changes"];
      const ended = await run(...args);
      const changed = ended.exitCode === unexpectedChanges ? "changed" : "failed";
      return outcome(args, ended, ended.exitCode === 0 ? "unchanged" : changed);
    },
    apply: () => change("up", "--refresh", "--yes", "--skip-preview"),
    destroy: () => change("destroy", "--yes", "--skip-preview"),
    byHand: [`cd ${directory}`, ". ./environment.sh", "pulumi preview --refresh"],
  };
}

/** The packages of this repository in place of an installation, so that nothing has to be fetched. */
async function linkPackages(directory: string): Promise<void> {
  const modules = join(directory, "node_modules");
  await mkdir(join(modules, "@pulumi"), { recursive: true });
  await symlink(join(root, "node_modules/@pulumi/pulumi"), join(modules, "@pulumi/pulumi"));
  await symlink(root, join(modules, "breezeblock"));
}

/**
 * The Node.js that runs the quickstart reads TypeScript itself; a program of one's own has Pulumi's compiler do it. Returns
 * the project's name.
 */
async function letNodeRunTypeScript(file: string): Promise<string> {
  const project = parse(await readFile(file, "utf8")) as { readonly name: string };
  const runtime = { name: "nodejs", options: { typescript: false } };
  await writeFile(file, stringify({ ...project, runtime, main: "index.ts" }));
  return project.name;
}

/** The program as far as it goes, and the stack's configuration: hosts, backends and the size. */
async function writeProgram(
  { directory, host, volumes }: EngineSetting,
  project: string,
  text: string,
  program: Program,
): Promise<readonly string[]> {
  const file = `Pulumi.${stack}.yaml`;
  const path = join(directory, file);
  const before = parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const config = {
    "breezeblock:hosts": {
      storage: {
        address: host.address,
        port: host.port,
        user: host.user,
        privateKeyFile: host.privateKeyFile,
        hostKey: host.hostKey,
      },
    },
    "breezeblock:backends": { demo: { host: "storage", file: { directory: volumes } } },
    [`${project}:size`]: program.size,
  };
  await writeFile(path, stringify({ ...before, config }));
  await writeFile(join(directory, "index.ts"), programUpTo(text, program));
  const parts = [
    "a volume",
    ...(program.copies ? ["copies"] : []),
    ...(program.attached ? ["an attachment"] : []),
  ];
  return [`index.ts: ${parts.join(", ")}; ${file}: size: ${program.size}`];
}
