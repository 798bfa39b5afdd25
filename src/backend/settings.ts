import type { DriverSettings } from "../drivers/registry.ts";
import type { HostSettings } from "../ssh/index.ts";
import type { TargetSettings } from "../targets/registry.ts";

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
  /** Default `local`. */
  readonly target?: ExportSettings;
  readonly unreachable: UnreachablePolicy;
  /** How many bytes of images are kept on the host for volumes to come. Default: none. */
  readonly imageCacheBytes?: number | undefined;
  /** Default: everything may be used, thin volumes up to twenty times over. */
  readonly placement?: PlacementSettings;
}

/** What of a backend's space may be given away, and to whom. */
export interface PlacementSettings {
  /** What stays free of the total, in percent of it. Default 0. */
  readonly reservedPercentage?: number | undefined;
  /** How often the space may be given away to thin volumes. Default 20. */
  readonly maxOverSubscriptionRatio?: number | "auto" | undefined;
  readonly filterFunction?: string | undefined;
  readonly goodnessFunction?: string | undefined;
  readonly availabilityZone?: string | undefined;
  /** Capabilities of the user's own. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export const defaultOverSubscriptionRatio = 20;

/** Exactly one storage technology. */
export type TechnologySettings =
  | ({ readonly technology: "file" } & Omit<DriverSettings<"file">, "backend">)
  | ({ readonly technology: "lvm" } & Omit<DriverSettings<"lvm">, "backend">);

/** How consumers reach the volumes; `local` exports nothing. */
export type ExportSettings =
  | { readonly target: "local" }
  | ({ readonly target: "iscsi" } & TargetSettings<"iscsi">)
  | ({ readonly target: "nvmet" } & TargetSettings<"nvmet">);

/** Everything a provider is configured with, whichever engine it came through. */
export interface FleetSettings {
  /** Unique to one state; empty when none is configured: then nothing unfinished is ever resumed. */
  readonly owner: string;
  readonly defaultLabels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly hosts: Readonly<Record<string, HostSettings>>;
  readonly backends: readonly BackendSettings[];
}
