import { afterAll, beforeAll, describe, vi } from "vitest";
import { titled } from "../../support/availability.ts";
import { findEngine } from "../../support/engines.ts";
import {
  expectSuccess,
  type PulumiResult,
  PulumiWorkspace,
  type PulumiWorkspaceOptions,
} from "../../support/pulumi.ts";
import { StorageDirectory, StorageHost } from "../../support/storage.ts";

type Settings = Readonly<Record<string, unknown>>;

// A command of Pulumi's takes seconds, on a busy machine many, and a test runs up to ten of them.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

/** A suite that needs Pulumi; where it is missing, the suite is left out with the reason. */
export function describePulumi(title: string, suite: () => void): void {
  const found = findEngine("pulumi");
  describe.skipIf(!found.available)(titled(title, found), suite);
}

export interface ScenarioOptions extends PulumiWorkspaceOptions {
  /** The state's directory of another scenario: two stacks on one storage. */
  readonly storage?: StorageDirectory;
  /** What the stack calls itself on the host; Pulumi's own default when left out. */
  readonly owner?: string;
  /** Settings of host `lab` in place of the embedded host's own. */
  readonly host?: Settings;
}

/** One stack in a project of its own, with a backend `demo` in a directory of its own on the embedded host `lab`. */
export class Scenario {
  readonly workspace: PulumiWorkspace;
  readonly storage: StorageDirectory;
  readonly #host: StorageHost;
  readonly #options: ScenarioOptions;

  private constructor(
    host: StorageHost,
    workspace: PulumiWorkspace,
    storage: StorageDirectory,
    options: ScenarioOptions,
  ) {
    this.#host = host;
    this.workspace = workspace;
    this.storage = storage;
    this.#options = options;
  }

  static async open(host: StorageHost, options: ScenarioOptions = {}): Promise<Scenario> {
    const workspace = await PulumiWorkspace.create(options);
    const storage = options.storage ?? new StorageDirectory(host.ssh.directory);
    const scenario = new Scenario(host, workspace, storage, options);
    scenario.configure();
    return scenario;
  }

  /** Host `lab` as configured, with some settings in place of others; null leaves one out. */
  host(settings: Settings = {}): Settings {
    const { private_key_file: privateKeyFile, host_key: hostKey, ...rest } = this.#host.settings;
    const all = { ...rest, privateKeyFile, hostKey, ...this.#options.host, ...settings };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  }

  /** An entry of `backends`. */
  backend(settings: Settings = {}): Settings {
    return { host: "lab", file: { directory: this.storage.path }, ...settings };
  }

  /** Writes the stack's configuration; `settings` (`hosts`, `defaultLabels`, …) stand beside or in place of the usual. */
  configure(settings: Settings = {}): void {
    const all = {
      owner: this.#options.owner ?? null,
      hosts: { lab: this.host() },
      backends: { demo: this.backend() },
      ...settings,
    };
    this.workspace.configure(
      Object.fromEntries(Object.entries(all).map(([name, value]) => [`breezeblock:${name}`, value])),
    );
  }

  /** Fails unless what is on the host, what is in state and what is written are the same. */
  async expectNoChanges(): Promise<void> {
    expectSuccess(await this.workspace.preview("--refresh", "--diff", "--expect-no-changes"));
  }

  /** What the stack's state says of each resource, in no matter what order, for comparing before and after. */
  async stateText(): Promise<string> {
    const lines = (await this.workspace.resources()).map(({ urn, id, inputs, outputs }) =>
      JSON.stringify({ urn, id, inputs, outputs }),
    );
    return lines.sort().join("\n");
  }

  remove(): void {
    this.workspace.remove();
  }
}

/** The embedded host and one scenario for the tests of a suite, which walk it from step to step. */
export function useScenario(options: ScenarioOptions | (() => ScenarioOptions) = {}): () => Scenario {
  const host = useHost();
  let scenario: Scenario | undefined;
  beforeAll(async () => {
    scenario = await Scenario.open(host(), typeof options === "function" ? options() : options);
  });
  afterAll(() => scenario?.remove());
  return () => given(scenario);
}

/** An embedded host for the tests of a suite. */
export function useHost(): () => StorageHost {
  let host: StorageHost | undefined;
  beforeAll(async () => {
    host = await StorageHost.start();
  });
  afterAll(() => host?.stop());
  return () => given(host);
}

/** The errors that Pulumi shows, each whole on a line or several, without what it prints beside them. */
export function errorsIn({ text }: PulumiResult): string {
  return text.slice(Math.max(0, text.indexOf("Diagnostics:")));
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The suite's hooks have not run.");
  return value;
}
