import { afterAll, beforeAll, describe } from "vitest";
import { type ServedProvider, serveForTest } from "../../../providers/terraform/index.ts";
import { provider } from "../../../resources/index.ts";
import { buildTerraformProvider, repositoryFile } from "../../../scripts/build-terraform.ts";
import { titled } from "../../support/availability.ts";
import { findEngine } from "../../support/engines.ts";
import { StorageDirectory, StorageHost } from "../../support/storage.ts";
import { makeTempDirectory, removeDirectory, tempDirectory } from "../../support/temp-directory.ts";
import {
  type ProviderSource,
  type TerraformEngine,
  TerraformWorkspace,
  terraformEngines,
} from "../../support/terraform.ts";

/** Repeats a suite for each engine; one that is missing is left out, with the reason. */
export function describeEngines(
  suite: (engine: TerraformEngine) => void,
  engines: readonly TerraformEngine[] = terraformEngines,
): void {
  for (const engine of engines) {
    const found = findEngine(engine);
    describe.skipIf(!found.available)(titled(engine, found), () => suite(engine));
  }
}

/** The first engine that is there: for what does not depend on which. */
export function firstEngine(): readonly TerraformEngine[] {
  return [terraformEngines.find((engine) => findEngine(engine).available) ?? "terraform"];
}

/** What the tests of a file share: a storage host, and the provider served from this process. */
export class Site {
  #host: StorageHost | undefined;
  #served: ServedProvider | undefined;

  get host(): StorageHost {
    return given(this.#host);
  }

  get source(): ProviderSource {
    return { reattach: given(this.#served).reattach };
  }

  /** For the running test. */
  scenario(engine: TerraformEngine, options: ScenarioOptions = {}): Scenario {
    return new Scenario(this.host, engine, { source: this.source, ...options });
  }

  async open(): Promise<void> {
    this.#host = await StorageHost.start();
    this.#served = await serveForTest(provider, { log: () => undefined });
  }

  async close(): Promise<void> {
    await this.#served?.close();
    await this.#host?.stop();
  }
}

export function useSite(): Site {
  const site = new Site();
  beforeAll(() => site.open());
  afterAll(() => site.close());
  return site;
}

/** The executable as it is shipped, built for the tests of a file. */
export function useExecutable(): () => ProviderSource {
  let directory: string | undefined;
  beforeAll(async () => {
    directory = makeTempDirectory();
    await buildTerraformProvider({
      entry: repositoryFile("providers/terraform/main.ts"),
      outfile: `${directory}/terraform-provider-breezeblock_v0.0.0`,
    });
  });
  afterAll(() => directory !== undefined && removeDirectory(directory));
  return () => ({ directory: given(directory) });
}

export interface ScenarioOptions {
  readonly source?: ProviderSource;
  readonly environment?: Readonly<Record<string, string>>;
  /** The state's directory of another scenario: two configurations of one storage. */
  readonly storage?: StorageDirectory;
  readonly owner?: string;
}

type Settings = Readonly<Record<string, unknown>>;

/** One configuration in a workspace of its own, with a backend `demo` in a directory of its own. */
export class Scenario {
  readonly terraform: TerraformWorkspace;
  readonly storage: StorageDirectory;
  readonly host: StorageHost;
  readonly #owner: string;

  constructor(host: StorageHost, engine: TerraformEngine, options: ScenarioOptions) {
    this.host = host;
    this.storage = options.storage ?? new StorageDirectory(host.ssh.directory);
    this.#owner = options.owner ?? "acme/test";
    this.terraform = new TerraformWorkspace({
      engine,
      provider: options.source ?? { reattach: "" },
      directory: tempDirectory(),
      ...(options.environment !== undefined && { environment: options.environment }),
    });
    this.configure();
  }

  /** Writes the provider block: host `san1`, backend `demo`, and what `settings` says in place of these. */
  configure(settings: Settings = {}): void {
    const block = {
      owner: this.#owner,
      hosts: { san1: this.host.settings },
      backends: { demo: this.backend() },
      ...settings,
    };
    this.terraform.write(JSON.stringify({ provider: { breezeblock: block } }), "provider.tf.json");
  }

  /** An entry of `backends` in `directory`. */
  backend(directory: StorageDirectory = this.storage, settings: Settings = {}): Settings {
    return { host: "san1", file: { directory: directory.path }, ...settings };
  }

  write(text: string): void {
    this.terraform.write(text);
  }
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The file's hooks have not run.");
  return value;
}
