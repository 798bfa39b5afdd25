import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { findEngine } from "./engines.ts";
import { packedPackage, programsDirectory, unpackPackage } from "./pulumi-package.ts";

export interface PulumiWorkspaceOptions {
  /** `commonjs` is Pulumi's default template; `esm` has `"type": "module"`. */
  readonly modules?: "commonjs" | "esm";
  readonly project?: string;
  readonly stack?: string;
  /** The npm package to install; breezeblock as built from this checkout when left out. */
  readonly tarball?: string;
  /** Whether Pulumi checks the program's types at each run, as it does for users. It takes seconds: false by default. */
  readonly checkTypes?: boolean;
  /** Added to an environment that else holds only what Pulumi needs. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface PulumiResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output and error. */
  readonly text: string;
}

/** A resource in a stack's state, as far as tests look. */
export interface PulumiState {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly initErrors?: readonly string[];
}

/** One step that a preview or an update takes: `create`, `update`, `replace`, `delete`, `same`, `refresh`. */
export interface PulumiStep {
  readonly op: string;
  /** The resource's logical name. */
  readonly name: string;
}

const compilerOptions = {
  commonjs: { module: "commonjs", moduleResolution: "node", target: "es2020" },
  esm: { module: "nodenext", moduleResolution: "nodenext", target: "es2022" },
};

/** What Pulumi's own exit code is when `--expect-no-changes` was not met. */
export const unexpectedChanges = 7;

/** A Pulumi project with a stack of its own, whose state is in plain files, with nothing of the user's own settings. */
export class PulumiWorkspace {
  readonly directory: string;
  readonly stack: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(directory: string, stack: string, environment: Readonly<Record<string, string>>) {
    this.directory = directory;
    this.stack = stack;
    this.#environment = environment;
  }

  /** Makes the project and the stack, with breezeblock installed. Call `remove` in the end. */
  static async create(options: PulumiWorkspaceOptions = {}): Promise<PulumiWorkspace> {
    const { modules = "commonjs", project = "shop", stack = "dev" } = options;
    const programs = await programsDirectory();
    const directory = mkdtempSync(join(programs, "program-"));
    const workspace = new PulumiWorkspace(directory, stack, {
      // Programs and providers are run by the node that runs the tests.
      PATH: [dirname(process.execPath), dirname(findEngine("pulumi").path), process.env["PATH"] ?? ""].join(
        delimiter,
      ),
      HOME: directory,
      PULUMI_HOME: join(directory, ".pulumi-home"),
      PULUMI_BACKEND_URL: `file://${join(directory, ".state")}`,
      PULUMI_CONFIG_PASSPHRASE: "passphrase",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // Each run loads the same packages; compiled once, they take a second less.
      NODE_COMPILE_CACHE: join(programs, ".compiled"),
      ...(options.checkTypes === true ? {} : { PULUMI_NODEJS_TRANSPILE_ONLY: "true" }),
      ...options.environment,
    });
    mkdirSync(join(directory, ".state"));
    workspace.write("Pulumi.yaml", stringify({ name: project, runtime: "nodejs" }));
    workspace.write(
      "package.json",
      JSON.stringify({ name: project, ...(modules === "esm" && { type: "module" }) }),
    );
    workspace.write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: { strict: true, ...compilerOptions[modules] }, files: ["index.ts"] }),
    );
    await unpackPackage(options.tarball ?? (await packedPackage()), directory);
    expectSuccess(await workspace.run(["stack", "init", stack]));
    return workspace;
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.directory, file), text);
  }

  read(file: string): string {
    return readFileSync(join(this.directory, file), "utf8");
  }

  /** Writes `index.ts`: both packages are imported already. */
  program(body: string): void {
    this.write(
      "index.ts",
      `import * as pulumi from "@pulumi/pulumi";\nimport * as breezeblock from "breezeblock/pulumi";\nvoid pulumi;\n${body}\n`,
    );
  }

  /** Sets keys of the stack's configuration, such as `breezeblock:hosts`, to plain values; null removes one. */
  configure(settings: Readonly<Record<string, unknown>>): void {
    const file = `Pulumi.${this.stack}.yaml`;
    const before = parse(this.read(file)) as { config?: Record<string, unknown> };
    const config = { ...before.config, ...settings };
    const set = Object.entries(config).filter(([, value]) => value !== null);
    this.write(file, stringify({ ...before, config: Object.fromEntries(set) }));
  }

  /** Encrypts a value in the stack's configuration. @param path such as `breezeblock:hosts.san1.password` */
  async setSecret(path: string, value: string): Promise<void> {
    expectSuccess(await this.run(["config", "set", "--secret", "--path", "--", path, value]));
  }

  /** Installs another package in place of breezeblock. */
  async install(tarball: string): Promise<void> {
    await unpackPackage(tarball, this.directory);
  }

  /** Runs Pulumi to its end, whatever comes of it. */
  run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<PulumiResult> {
    const child = spawn(findEngine("pulumi").path, ["--non-interactive", "--color", "never", ...args], {
      cwd: this.directory,
      env: { ...this.#environment, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Promise((resolve, reject) => {
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.on("error", reject);
      child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr, text: stdout + stderr }));
    });
  }

  up(...args: readonly string[]): Promise<PulumiResult> {
    return this.run(["up", "--yes", "--skip-preview", ...args]);
  }

  preview(...args: readonly string[]): Promise<PulumiResult> {
    return this.run(["preview", ...args]);
  }

  refresh(...args: readonly string[]): Promise<PulumiResult> {
    return this.run([
      "refresh",
      ...(args.includes("--preview-only") ? [] : ["--yes", "--skip-preview"]),
      ...args,
    ]);
  }

  destroy(...args: readonly string[]): Promise<PulumiResult> {
    return this.run(["destroy", "--yes", "--skip-preview", ...args]);
  }

  /** What a preview would do to the resources of breezeblock, those that stay the same left out. Fails when the preview does. */
  async steps(...args: readonly string[]): Promise<readonly PulumiStep[]> {
    const result = expectSuccess(await this.preview("--json", ...args));
    const { steps = [] } = JSON.parse(result.stdout) as { steps?: readonly { op: string; urn: string }[] };
    return steps
      .filter(({ op, urn }) => op !== "same" && urn.includes("breezeblock:"))
      .map(({ op, urn }) => ({ op, name: urn.split("::").at(-1) ?? "" }));
  }

  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const { stdout } = expectSuccess(await this.run(["stack", "output", "--json", "--show-secrets"]));
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** The whole state, as text. */
  async export(): Promise<string> {
    return expectSuccess(await this.run(["stack", "export"])).stdout;
  }

  /** The resources of breezeblock in the stack's state. */
  async resources(): Promise<readonly PulumiState[]> {
    const { deployment } = JSON.parse(await this.export()) as {
      deployment: { resources?: readonly PulumiState[] };
    };
    return (deployment.resources ?? []).filter(({ type }) => type.includes("breezeblock:"));
  }

  /** The resource with that logical name. Fails when there is none. */
  async resource(name: string): Promise<PulumiState> {
    const found = (await this.resources()).find(({ urn }) => urn.endsWith(`::${name}`));
    if (found === undefined) throw new Error(`The state has no resource ${name}.`);
    return found;
  }

  /** Removes the project with its state. Storage is not touched: destroy first. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The result, once Pulumi has ended well. @throws Error with everything that it wrote */
export function expectSuccess(result: PulumiResult): PulumiResult {
  if (result.exitCode !== 0) throw new Error(`Pulumi ended with ${result.exitCode}:\n${result.text}`);
  return result;
}
