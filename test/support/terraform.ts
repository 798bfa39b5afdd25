import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { expect } from "vitest";
import { findEngine } from "./engines.ts";
import { tempDirectory } from "./temp-directory.ts";

export const terraformEngines = ["terraform", "tofu"] as const;
export type TerraformEngine = (typeof terraformEngines)[number];

/** Where an engine gets the provider from. */
export type ProviderSource =
  /** The directory of its executable, by dev_overrides: no init is needed, nor possible. */
  | { readonly directory: string }
  /** `ServedProvider.reattach` of `serveForTest`: the fastest way. */
  | { readonly reattach: string }
  /** A filesystem mirror, packed or unpacked: run `init` first. */
  | { readonly mirror: string };

export interface WorkspaceOptions {
  readonly engine: TerraformEngine;
  readonly provider: ProviderSource;
  /** Added to an environment that else holds only what the engine needs. */
  readonly environment?: Readonly<Record<string, string>>;
  /** One that outlives the test; else a new one that goes with it. */
  readonly directory?: string;
}

export interface RunResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output and error as a user sees them, with the frames and line breaks of diagnostics taken out. */
  readonly text: string;
}

/** As `show -json` prints it, as far as tests look. */
export interface StateResource {
  readonly address: string;
  readonly type: string;
  readonly name: string;
  readonly tainted?: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface ResourceChange {
  readonly address: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
    readonly after_unknown: Readonly<Record<string, unknown>>;
    readonly replace_paths?: readonly (readonly unknown[])[];
  };
}

export interface PlanJson {
  readonly resource_changes?: readonly ResourceChange[];
  readonly resource_drift?: readonly ResourceChange[];
}

const requirements = `terraform {
  required_providers {
    breezeblock = {
      source = "breezeblock/breezeblock"
    }
  }
}
`;

/** Engines keep to their own width; a narrow one would break what tests look for. */
const alwaysArgs = ["-no-color"];

/** A directory with a configuration in which a real engine runs, with nothing of the user's own settings. */
export class TerraformWorkspace {
  readonly directory: string;
  readonly engine: TerraformEngine;
  readonly #environment: Readonly<Record<string, string>>;

  constructor({ engine, provider, environment, directory = tempDirectory() }: WorkspaceOptions) {
    this.engine = engine;
    this.directory = directory;
    this.write(requirements, "versions.tf");
    this.write(cliConfiguration(provider), "cli.tfrc");
    this.#environment = {
      // Provider executables are run by the node that runs the tests.
      PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
      HOME: this.directory,
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      TF_DATA_DIR: join(this.directory, ".terraform"),
      TF_CLI_CONFIG_FILE: join(this.directory, "cli.tfrc"),
      ...("reattach" in provider && { TF_REATTACH_PROVIDERS: provider.reattach }),
      ...environment,
    };
  }

  /** Writes a file of the configuration; `main.tf` unless named. The provider's source stands in `versions.tf` already. */
  write(text: string, file = "main.tf"): void {
    writeFileSync(join(this.directory, file), text);
  }

  /** The text of a file in the directory. */
  read(file: string): string {
    return readFileSync(join(this.directory, file), "utf8");
  }

  /** Starts the engine in a process group of its own, as a terminal would. */
  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(findEngine(this.engine).path, args, {
      cwd: this.directory,
      env: { ...this.#environment, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
  }

  /** Runs the engine to its end, whatever comes of it. */
  run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    return resultOf(this.start(args, environment));
  }

  init(...args: string[]): Promise<RunResult> {
    return this.run(["init", ...alwaysArgs, ...args]);
  }

  validate(...args: string[]): Promise<RunResult> {
    return this.run(["validate", ...alwaysArgs, ...args]);
  }

  /** Exit code 0: nothing to do; 1: an error; 2: changes. */
  plan(...args: string[]): Promise<RunResult> {
    return this.run(["plan", "-detailed-exitcode", ...alwaysArgs, ...args]);
  }

  apply(...args: string[]): Promise<RunResult> {
    return this.run(["apply", "-auto-approve", ...alwaysArgs, ...args]);
  }

  destroy(...args: string[]): Promise<RunResult> {
    return this.run(["destroy", "-auto-approve", ...alwaysArgs, ...args]);
  }

  import(address: string, id: string): Promise<RunResult> {
    return this.run(["import", ...alwaysArgs, address, id]);
  }

  /** Fails the test with what the engine said unless all went well. */
  async applied(...args: string[]): Promise<RunResult> {
    const result = await this.apply(...args);
    expect(result.exitCode, result.text).toBe(0);
    return result;
  }

  async destroyed(...args: string[]): Promise<RunResult> {
    const result = await this.destroy(...args);
    expect(result.exitCode, result.text).toBe(0);
    return result;
  }

  /** Fails the test unless there is nothing to do. */
  async expectNoChanges(...args: string[]): Promise<void> {
    const result = await this.plan(...args);
    expect(result.exitCode, result.text).toBe(0);
  }

  /** Plans (failing the test when that fails) and returns what the plan holds. */
  async planned(...args: string[]): Promise<PlanJson> {
    const result = await this.plan("-out=plan.bin", ...args);
    expect(result.exitCode, result.text).not.toBe(1);
    return (await this.#json(["show", "-json", "plan.bin"])) as PlanJson;
  }

  /** What a plan would do, as `create`, `update`, `delete`, `delete,create`, … by address; without what stays as it is. */
  async actions(...args: string[]): Promise<Readonly<Record<string, string>>> {
    const { resource_changes: changes = [] } = await this.planned(...args);
    return Object.fromEntries(
      changes
        .map(({ address, change }): [string, string] => [address, change.actions.join(",")])
        .filter(([, actions]) => actions !== "no-op"),
    );
  }

  /** Every resource and data source of the root module in the state. */
  async state(): Promise<readonly StateResource[]> {
    const shown = (await this.#json(["show", "-json"])) as {
      values?: { root_module?: { resources?: StateResource[] } };
    };
    return shown.values?.root_module?.resources ?? [];
  }

  /** The attributes that the state holds of `address`. Fails when it is not there. */
  async attributes(address: string): Promise<Readonly<Record<string, unknown>>> {
    const found = (await this.state()).find((resource) => resource.address === address);
    if (found === undefined) throw new Error(`${address} is not in the state.`);
    return found.values;
  }

  async schema(): Promise<unknown> {
    return this.#json(["providers", "schema", "-json"]);
  }

  async #json(args: readonly string[]): Promise<unknown> {
    const result = await this.run(args);
    expect(result.exitCode, result.text).toBe(0);
    return JSON.parse(result.stdout);
  }
}

/** Waits for a process of `TerraformWorkspace.start`. */
export function resultOf(child: ChildProcess): Promise<RunResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      const out = Buffer.concat(stdout).toString();
      const err = Buffer.concat(stderr).toString();
      resolve({ exitCode, stdout: out, stderr: err, text: unframed(`${out}${err}`) });
    });
  });
}

/** One line for each paragraph of a diagnostic. */
function unframed(text: string): string {
  return text
    .replace(/^[│╷╵ ]+/gm, "")
    .replace(/(\S)\n(?=\S)/g, "$1 ")
    .trim();
}

const addresses = [
  "registry.terraform.io/breezeblock/breezeblock",
  "registry.opentofu.org/breezeblock/breezeblock",
];

function cliConfiguration(provider: ProviderSource): string {
  if ("directory" in provider) {
    const overrides = addresses.map(
      (address) => `    "${address}" = ${JSON.stringify(provider.directory)}\n`,
    );
    return `provider_installation {\n  dev_overrides {\n${overrides.join("")}  }\n}\n`;
  }
  if ("mirror" in provider) {
    return `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(provider.mirror)}\n  }\n}\n`;
  }
  return "";
}

/** The registry that `engine` takes for granted. */
export function registryOf(engine: TerraformEngine): string {
  return engine === "tofu" ? "registry.opentofu.org" : "registry.terraform.io";
}

/** A state file that holds one `breezeblock_thing.a`, as a provider of that registry wrote it in that version. */
export function storedState(registry: string, attributes: object, schemaVersion: number): string {
  return JSON.stringify({
    version: 4,
    terraform_version: "1.9.0",
    serial: 1,
    lineage: "00000000-0000-0000-0000-000000000001",
    outputs: {},
    resources: [
      {
        mode: "managed",
        type: "breezeblock_thing",
        name: "a",
        provider: `provider["${registry}/breezeblock/breezeblock"]`,
        instances: [{ schema_version: schemaVersion, attributes, sensitive_attributes: [] }],
      },
    ],
  });
}

/** Whether the engine (which must be there) knows resource identities: from 1.12 on, of both. */
export function supportsIdentity(engine: TerraformEngine): boolean {
  const environment = { ...process.env, CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: devNull };
  const text = execFileSync(findEngine(engine).path, ["version", "-json"], {
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { terraform_version: version = "" } = JSON.parse(text) as { terraform_version?: string };
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 12);
}
