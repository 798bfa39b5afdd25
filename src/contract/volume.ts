/** Values that JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export const bytesPerGib = 1024 ** 3;

/** The largest size a user can ask for: 2^22 GiB (4 PiB), so that byte counts stay exact in a JavaScript number. */
export const maxSizeGib = 2 ** 22;

/**
 * Where an object stands in its life, as the host records it.
 *
 * `creating`: reserved, not ready. `unacknowledged`: ready, but no state is known to hold its id yet.
 * `acknowledged`: a state held its id. `retained`: given up by its state on purpose; never taken up by a create.
 */
export type Phase = "creating" | "unacknowledged" | "acknowledged" | "retained";

export type Provisioning = "thin" | "thick";

export type AccessMode = "rw" | "ro";

/** What identifies a consumer to the storage side. Which parts are needed is the protocol's business (CON-1). */
export interface Connector {
  /** The consumer's host name. */
  readonly host?: string | undefined;
  /** Its iSCSI qualified name. */
  readonly initiator?: string | undefined;
  /** Its NVMe qualified name. */
  readonly nqn?: string | undefined;
  readonly ip?: string | undefined;
}

/** One consumer's access to a volume, as recorded on the host. */
export interface Attachment {
  /** A UUID. */
  readonly id: string;
  readonly connector: Connector;
  readonly mode: AccessMode;
  /** `unacknowledged` until a state is known to hold its id; only then can no create take it up any more. */
  readonly phase: Extract<Phase, "unacknowledged" | "acknowledged">;
  /** RFC 3339, UTC. */
  readonly attachedAt: string;
}

export type VolumeSource =
  | { readonly kind: "snapshot"; readonly id: string }
  | { readonly kind: "volume"; readonly id: string };

/** What volumes and snapshots have in common, as recorded on the host. */
export interface ObjectRecord {
  /** A UUID; names the object on the host. */
  readonly id: string;
  /** The user's name; metadata only, changes in place. */
  readonly name: string;
  /** Unique to one state; empty when none is configured. */
  readonly owner: string;
  readonly phase: Phase;
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The provider's default labels at the time; kept apart so that an import can tell them from `labels`. */
  readonly defaultLabels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  /** The resource's other settings, kept so that an import comes out whole; opaque to drivers. */
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

export interface VolumeRecord extends ObjectRecord {
  readonly pool: string;
  readonly provisioning: Provisioning;
  readonly multiattach: boolean;
  readonly source: VolumeSource | null;
  readonly attachments: readonly Attachment[];
  /** Where the data is on the host: a path or the technology's own name for it. */
  readonly location: string;
}

export interface SnapshotRecord extends ObjectRecord {
  readonly volumeId: string;
  readonly location: string;
}

/** The user-changeable metadata of an object; what is left out stays. */
export type MetadataChanges = Partial<
  Pick<
    VolumeRecord,
    "name" | "labels" | "defaultLabels" | "deletionProtection" | "settings" | "phase" | "multiattach"
  >
>;
