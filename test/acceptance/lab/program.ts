import { type ServedProvider, serveForTest } from "../../../providers/terraform/index.ts";
import { provider } from "../../../resources/index.ts";
import type { Engine } from "../../support/engines.ts";
import { expectSuccess, PulumiWorkspace } from "../../support/pulumi.ts";
import { makeTempDirectory, removeDirectory } from "../../support/temp-directory.ts";
import { type TerraformEngine, TerraformWorkspace } from "../../support/terraform.ts";

/** Values as they stand in a configuration; names in snake_case. */
export type Settings = { readonly [name: string]: unknown };

/** A resource: `resources.volume.db` is `breezeblock_volume.db`, or `new Volume("db")`. `ref` refers to another. */
export interface Resources {
  readonly volume?: Readonly<Record<string, Settings>>;
  readonly snapshot?: Readonly<Record<string, Settings>>;
  readonly attachment?: Readonly<Record<string, Settings>>;
}

/** A reference, as in `ref("volume.db.id")`. */
export function ref(path: string): string {
  return `\${${path}}`;
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly text: string;
}

/** One configuration that a real engine carries out; the same for every engine. */
export interface Program {
  readonly engine: Engine;
  write(resources: Resources): void;
  /** Refreshes and applies. Fails with what the engine said unless all went well. */
  applied(): Promise<void>;
  /** The same, whatever comes of it. */
  apply(): Promise<Outcome>;
  /** What a plan that looks at the hosts would do, as `attachment.db: update`, sorted. */
  changes(): Promise<readonly string[]>;
  destroyed(): Promise<void>;
  destroy(): Promise<Outcome>;
  /** Everything that the engine keeps, as text. */
  state(): Promise<string>;
  /** The state's attributes of `attachment.db`, names in snake_case. */
  attributes(address: string): Promise<Settings>;
  /** Removes the workspace; storage is not touched. */
  close(): Promise<void>;
}

/** @param settings the provider's, in snake_case */
export async function openProgram(engine: Engine, settings: Settings): Promise<Program> {
  return engine === "pulumi" ? PulumiProgram.open(settings) : TerraformProgram.open(engine, settings);
}

class TerraformProgram implements Program {
  readonly engine: TerraformEngine;
  readonly #workspace: TerraformWorkspace;
  readonly #served: ServedProvider;
  readonly #settings: Settings;

  private constructor(workspace: TerraformWorkspace, served: ServedProvider, settings: Settings) {
    this.engine = workspace.engine;
    this.#workspace = workspace;
    this.#served = served;
    this.#settings = settings;
  }

  static async open(engine: TerraformEngine, settings: Settings): Promise<Program> {
    const served = await serveForTest(provider, { log: () => undefined });
    const workspace = new TerraformWorkspace({
      engine,
      provider: { reattach: served.reattach },
      directory: makeTempDirectory(),
    });
    return new TerraformProgram(workspace, served, settings);
  }

  write(resources: Resources): void {
    const resource = Object.fromEntries(
      Object.entries(resources).map(([kind, entries]) => [`breezeblock_${kind}`, entries]),
    );
    const text = JSON.stringify({ provider: { breezeblock: this.#settings }, resource }, undefined, 2);
    this.#workspace.write(text.replaceAll(reference, "$${breezeblock_$1.$2.$3}"), "main.tf.json");
  }

  async applied(): Promise<void> {
    await this.#workspace.applied();
  }

  apply(): Promise<Outcome> {
    return this.#workspace.apply();
  }

  async changes(): Promise<readonly string[]> {
    const actions = Object.entries(await this.#workspace.actions());
    return actions.map(([address, action]) => `${address.replace("breezeblock_", "")}: ${action}`).sort();
  }

  async destroyed(): Promise<void> {
    await this.#workspace.destroyed();
  }

  destroy(): Promise<Outcome> {
    return this.#workspace.destroy();
  }

  async state(): Promise<string> {
    return JSON.stringify(await this.#workspace.state());
  }

  attributes(address: string): Promise<Settings> {
    return this.#workspace.attributes(`breezeblock_${address}`);
  }

  async close(): Promise<void> {
    await this.#served.close();
    removeDirectory(this.#workspace.directory);
  }
}

class PulumiProgram implements Program {
  readonly engine = "pulumi";
  readonly #workspace: PulumiWorkspace;

  private constructor(workspace: PulumiWorkspace) {
    this.#workspace = workspace;
  }

  static async open(settings: Settings): Promise<Program> {
    const workspace = await PulumiWorkspace.create({ project: "lab" });
    workspace.configure(
      Object.fromEntries(
        Object.entries(inCamelCase(settings)).map(([name, value]) => [`breezeblock:${name}`, value]),
      ),
    );
    return new PulumiProgram(workspace);
  }

  write(resources: Resources): void {
    const declarations = Object.entries(resources).flatMap(
      ([kind, entries]: [string, Record<string, Settings>]) =>
        Object.entries(entries).map(([name, settings]) => declaration(kind, name, settings)),
    );
    this.#workspace.program(declarations.join("\n"));
  }

  async applied(): Promise<void> {
    expectSuccess(await this.apply());
  }

  apply(): Promise<Awaited<ReturnType<PulumiWorkspace["up"]>>> {
    return this.#workspace.up("--refresh");
  }

  async changes(): Promise<readonly string[]> {
    const steps = await this.#workspace.steps("--refresh");
    const resources = await this.#workspace.resources();
    const kinds = new Map(resources.map(({ urn }) => [urn.split("::").at(-1), kindOf(urn)]));
    const found = steps.filter(({ op }) => op !== "refresh");
    return found
      .map(({ op, name }) => `${kinds.get(name) ?? "new"}.${name.replace(/^\w+-/, "")}: ${op}`)
      .sort();
  }

  async destroyed(): Promise<void> {
    expectSuccess(await this.destroy());
  }

  destroy(): Promise<Awaited<ReturnType<PulumiWorkspace["destroy"]>>> {
    return this.#workspace.destroy();
  }

  state(): Promise<string> {
    return this.#workspace.export();
  }

  async attributes(address: string): Promise<Settings> {
    const { id, outputs } = await this.#workspace.resource(address.replace(".", "-"));
    return Object.fromEntries(
      Object.entries({ id, ...outputs }).map(([name, value]) => [toSnakeCase(name), value]),
    );
  }

  async close(): Promise<void> {
    this.#workspace.remove();
  }
}

const reference = /\$\{(volume|snapshot|attachment)\.(\w+)\.(\w+)\}/g;

/** `const volume_db = new breezeblock.Volume("volume-db", …)`: names of Pulumi resources are unique to a stack here. */
function declaration(kind: string, name: string, settings: Settings): string {
  const type = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  const text = JSON.stringify(inCamelCase(settings)).replaceAll(
    new RegExp(`"${reference.source}"`, "g"),
    (_match, of: string, which: string, attribute: string) => `${of}_${which}.${toCamelCase(attribute)}`,
  );
  return `const ${kind}_${name} = new breezeblock.${type}("${kind}-${name}", ${text});\nvoid ${kind}_${name};`;
}

function kindOf(urn: string): string {
  return (urn.split("::").at(-1) ?? "").split("-")[0] ?? "";
}

/** Keys that users choose (names of hosts and backends, labels) have no underscores in these tests. */
function inCamelCase(value: Settings): Settings {
  const convert = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(convert);
    return typeof inner === "object" && inner !== null ? inCamelCase(inner as Settings) : inner;
  };
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [toCamelCase(name), convert(inner)]),
  );
}

function toCamelCase(name: string): string {
  return name.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
