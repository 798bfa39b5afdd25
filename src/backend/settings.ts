import type { HostSettings } from "../ssh/index.ts";

/** What to do when a backend's host does not answer while reading state. */
export type UnreachablePolicy = "error" | "warn";

/** One backend as configured: which technology on which host, and the policy for it. */
export interface BackendSettings {
  readonly name: string;
  /** Earlier names, which states may still hold. */
  readonly aliases: readonly string[];
  /** A key of `FleetSettings.hosts`. */
  readonly host: string;
  readonly technology: TechnologySettings;
  readonly unreachable: UnreachablePolicy;
}

/** Exactly one storage technology. */
export type TechnologySettings = {
  readonly technology: "file";
  /** An existing directory on the host. */
  readonly directory: string;
  readonly format: "raw" | "qcow2";
};

/** Everything a provider is configured with, whichever engine it came through. */
export interface FleetSettings {
  /** Unique to one state; empty when none is configured: then nothing unfinished is ever resumed. */
  readonly owner: string;
  readonly defaultLabels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly hosts: Readonly<Record<string, HostSettings>>;
  readonly backends: readonly BackendSettings[];
}
