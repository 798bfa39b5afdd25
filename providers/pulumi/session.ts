import {
  type Diagnostic,
  DiagnosticsError,
  type HookContext,
  type Logger,
  type Provider,
} from "../../resources/schema/index.ts";
import { PlannedSpace } from "../../src/backend/index.ts";
import { configurationError, providerSettings, type StackConfiguration } from "./configuration.ts";
import { HookError, hookError } from "./messages.ts";
import { renamedNames } from "./names.ts";

export interface SessionOptions {
  readonly logger: Logger;
  /** Shows the user a warning. */
  warn(diagnostic: Omit<Diagnostic, "severity">): void;
}

/**
 * The one configured fleet of a process. Pulumi's launcher runs hooks before the `configure` of their provider has ended,
 * and configures each kind of resource for itself; here all hooks wait for the first configuration, and share it.
 */
export class Session {
  readonly #provider: Provider;
  readonly #options: SessionOptions;
  /** What all plans of this process take up together. */
  readonly plannedSpace = new PlannedSpace();
  readonly #abort = new AbortController();
  #context: Promise<HookContext> | undefined;

  constructor(provider: Provider, options: SessionOptions) {
    this.#provider = provider;
    this.#options = options;
  }

  /** The first call counts; those after it change nothing. Errors come out of `context`. */
  configure(stack: StackConfiguration, defaultOwner: string): void {
    if (this.#context !== undefined) return;
    this.#context = this.#connect(stack, defaultOwner);
    // Whoever awaits `context` gets the error; with nobody waiting it must not end the process.
    this.#context.catch(() => {});
  }

  async #connect(stack: StackConfiguration, defaultOwner: string): Promise<HookContext> {
    const { logger, warn } = this.#options;
    try {
      const settings = providerSettings(this.#provider, stack);
      const fleet = await this.#provider.configure(settings, logger, { owner: defaultOwner });
      return { fleet, signal: this.#abort.signal, warn };
    } catch (error) {
      if (error instanceof DiagnosticsError) throw configurationError(this.#provider, error);
      throw hookError({ attributes: this.#provider.attributes, names: renamedNames(this.#provider) }, error);
    }
  }

  /** @throws HookError when the settings are wrong */
  async context(): Promise<HookContext> {
    if (this.#context === undefined) {
      throw new HookError(
        "breezeblock was not configured: it needs @pulumi/pulumi 3.216 or later in the project.",
      );
    }
    return this.#context;
  }

  /** Stops what runs, writes what is pending, and closes all connections. Never throws. */
  async close(): Promise<void> {
    this.#abort.abort();
    const context = await this.#context?.catch(() => undefined);
    // The engine ends its providers when it has written its state; when it is killed, they are not told.
    await context?.fleet.close({ stateIsKept: true }).catch(() => {});
  }
}
