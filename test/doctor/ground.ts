import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildCli } from "../../scripts/build-library.ts";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { removeDirectory } from "../support/temp-directory.ts";

/** Longer ago than any run takes. */
export const longAgo = "2020-01-02T03:04:05Z";

export interface DoctorResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As `--json` prints it, as far as tests look. */
export interface DoctorReport {
  readonly well: boolean;
  readonly hosts: readonly {
    readonly name: string;
    readonly well: boolean;
    readonly reason: string | null;
  }[];
  readonly backends: readonly {
    readonly name: string;
    readonly well: boolean;
    readonly judged: boolean;
    readonly unmarked: number | null;
    readonly problems: readonly { readonly check: string; readonly reason: string }[];
  }[];
  readonly states: readonly {
    readonly format: string;
    readonly objects: number;
    readonly problems: readonly { readonly reason: string }[];
  }[];
  readonly findings: readonly DoctorFinding[];
  readonly in_progress: readonly DoctorFinding[];
  readonly retained: readonly DoctorFinding[];
  readonly removals: readonly {
    readonly id: string;
    readonly outcome: string;
    readonly reason: string | null;
  }[];
}

export interface DoctorFinding {
  readonly id: string;
  readonly kind: string;
  readonly condition: string;
  readonly name: string;
  readonly reason: string;
  readonly removable: boolean;
  readonly needs_force: boolean;
}

/** The command `breezeblock` as it is built, for the tests of a file. */
export class BuiltCommand {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async build(): Promise<BuiltCommand> {
    // Below the repository, where its packages are found.
    mkdirSync(repositoryFile(".gen"), { recursive: true });
    const directory = mkdtempSync(repositoryFile(".gen/command-"));
    // What is generated beside it is CommonJS.
    writeFileSync(join(directory, "package.json"), '{"type":"module"}');
    await buildCli(join(directory, "breezeblock.js"));
    return new BuiltCommand(directory);
  }

  /** Runs it to its end; `input` is its standard input. */
  run(
    args: readonly string[],
    options: { readonly cwd?: string; readonly input?: string } = {},
  ): Promise<DoctorResult> {
    const { SSH_AUTH_SOCK: _, BREEZEBLOCK_OWNER: __, BREEZEBLOCK_CONFIG_FILE: ___, ...env } = process.env;
    const child = spawn(process.execPath, [join(this.#directory, "breezeblock.js"), ...args], {
      ...{ env, stdio: ["pipe", "pipe", "pipe"] },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const printed = { stdout: "", stderr: "" };
    child.stdout?.on("data", (chunk) => {
      printed.stdout += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      printed.stderr += chunk;
    });
    child.stdin?.end(options.input ?? "");
    return new Promise((resolve) => child.once("close", (exitCode) => resolve({ exitCode, ...printed })));
  }

  remove(): void {
    removeDirectory(this.#directory);
  }
}

/** The doctor with one configuration. */
export class Doctor {
  readonly #command: BuiltCommand;
  readonly #directory: string;

  constructor(command: BuiltCommand, directory: string, settings: Readonly<Record<string, unknown>>) {
    this.#command = command;
    this.#directory = directory;
    // JSON is YAML.
    writeFileSync(join(directory, "breezeblock.yaml"), JSON.stringify(settings));
  }

  /** A state that holds these ids, as Terraform writes it. */
  writeState(objects: readonly StatedObject[], file = "terraform.tfstate"): string {
    const resources = objects.map(({ type, id, identity }, index) => ({
      ...{ mode: "managed", type: `breezeblock_${type}`, name: `r${index}` },
      instances: [{ schema_version: 0, attributes: { id, backend_identity: identity } }],
    }));
    const path = join(this.#directory, file);
    writeFileSync(
      path,
      JSON.stringify({ version: 4, terraform_version: "1.9.0", serial: 1, lineage: "l", resources }),
    );
    return path;
  }

  run(args: readonly string[], input?: string): Promise<DoctorResult> {
    return this.#command.run(["doctor", ...args], {
      cwd: this.#directory,
      ...(input === undefined ? {} : { input }),
    });
  }

  async report(...args: readonly string[]): Promise<DoctorReport & { readonly exitCode: number | null }> {
    const { exitCode, stdout, stderr } = await this.run(["--json", ...args]);
    if (stderr !== "") throw new Error(stderr);
    return { ...(JSON.parse(stdout) as DoctorReport), exitCode };
  }
}

export interface StatedObject {
  readonly type: "volume" | "snapshot" | "attachment";
  readonly id: string;
  readonly identity: string;
}
