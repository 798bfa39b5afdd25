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
 * `deleting`: its data is being cleared; its name is free, and all that can be done with it is to finish that.
 */
export type Phase = "creating" | "unacknowledged" | "acknowledged" | "retained" | "deleting";

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
  /** The run that makes it, as 16 hexadecimal digits; absent where a version without runs has recorded it. */
  readonly run?: string | undefined;
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
  /** A file system was, or may have been, made on it by us. Written before mkfs starts, and never taken back. */
  readonly formatted: boolean;
  readonly attachments: readonly Attachment[];
  /** Where the data is on the host: a path or the technology's own name for it. */
  readonly location: string;
  /** Where `location` is a name that others can give to something else: a path that means this volume's data or nothing. */
  readonly ownPath?: string | undefined;
  /** How the file at `location` holds the data, where its name need not tell. */
  readonly format?: "raw" | "qcow2" | undefined;
  /** Made by others and adopted: what it was called then, in the technology's terms. It is given back under that name. */
  readonly adoptedFrom?: string | undefined;
  /** The id of the snapshot that it is being put back to. Until that is done it can neither be read nor be written. */
  readonly restoring?: string | undefined;
  /** Taken already for a growth that was begun and not finished; part of no size yet. */
  readonly growthBytes?: number | undefined;
  /** Tells that putting back from any other one of this volume. */
  readonly restoringMark?: string | undefined;
}

/** The path by which the data is exported and opened, also after a reboot. */
export function dataPathOf({ location, ownPath }: Pick<VolumeRecord, "location" | "ownPath">): string {
  return ownPath ?? location;
}

export interface SnapshotRecord extends ObjectRecord {
  readonly volumeId: string;
  readonly location: string;
  /** Why its content is lost, where it is; then all that can be done with it is to delete it. */
  readonly broken?: string | undefined;
}

/** The user-changeable metadata of an object; what is left out stays. */
export type MetadataChanges = Partial<
  Pick<
    VolumeRecord,
    | "name"
    | "labels"
    | "defaultLabels"
    | "deletionProtection"
    | "settings"
    | "phase"
    | "multiattach"
    | "formatted"
  >
>;

/** A volume's last snapshot, which stays when the volume goes and is no obstacle to that. Taken only where that is so. */
export function outlivesVolume({ phase }: Pick<SnapshotRecord, "phase">): boolean {
  return phase === "retained";
}
