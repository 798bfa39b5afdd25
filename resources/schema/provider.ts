import type { Fleet } from "../../src/backend/index.ts";
import type { AttributeSet } from "./attribute.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { DataSource, Ephemeral, Resource } from "./resource.ts";
import type { Values } from "./value.ts";

/** Structured log sink; fields never hold secrets. */
export interface Logger {
  log(
    level: "trace" | "debug" | "info" | "warn" | "error",
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void;
}

/** What an engine knows of the state, where the user says nothing. */
export interface ProviderDefaults {
  /** Unique to the state; empty for none. */
  readonly owner: string;
}

/** Everything an engine's provider offers, in no engine's words. */
export interface Provider {
  readonly description: string;
  /** The provider block, the YAML file and Pulumi's configuration: one schema. */
  readonly attributes: AttributeSet;
  validate(config: Values): readonly Diagnostic[];
  /**
   * Builds the fleet of a wholly known configuration: reads `config_file`, merges the environment, checks the whole.
   * Reaches no host. `defaults` stand where neither of them says anything. Throws `DiagnosticsError`. Each call makes a fleet of its own, with no cached inventory.
   */
  configure(config: Values, logger: Logger, defaults?: ProviderDefaults): Promise<Fleet>;
  readonly resources: readonly Resource[];
  readonly dataSources: readonly DataSource[];
  readonly ephemerals: readonly Ephemeral[];
}
