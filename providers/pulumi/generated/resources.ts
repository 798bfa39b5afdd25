// Generated from the declarations in resources/ by `npm run generate`. Do not edit.
import * as pulumi from "@pulumi/pulumi";
import { DynamicResource, readDataSource, typeToken } from "../resource-class.ts";

/** What a `Volume` is made from. */
export interface VolumeArgs {
  /** The volume's name: unique for owner and backend, kept as metadata on the host, changed in place. Exactly one of `name` and `namePrefix` is given. */
  readonly name?: pulumi.Input<string | undefined>;
  /** What a generated, unique name begins with. Lets a replacement be created before the old volume is destroyed. */
  readonly namePrefix?: pulumi.Input<string | undefined>;
  /** Size in GiB, required unless `source` gives it. Grows in place; a smaller size than the volume has is refused at plan. */
  readonly size?: pulumi.Input<number | undefined>;
  /** The backend to allocate on, a key of the provider's `backends`; `name#pool` for one of its pools. A change is refused at plan, unless `onBackendChange` allows it. */
  readonly backend: pulumi.Input<string>;
  /** What a changed `backend` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes an empty one on the other backend. Default: `"refuse"`. */
  readonly onBackendChange?: pulumi.Input<string | undefined>;
  /** What the new volume's content is copied from, on the same backend; afterwards the two are independent. Exactly one of its attributes is given. Without a source the volume reads as zeros. */
  readonly source?: pulumi.Input<VolumeSourceArgs | undefined>;
  /** What a changed `source` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes it anew from the new source; `keep` notes the new source and leaves the data as it is. Removing `source` never touches the volume. Default: `"refuse"`. */
  readonly onSourceChange?: pulumi.Input<string | undefined>;
  /** `thin` takes space as it is written, `thick` reserves all of it at once. Default: the backend's first. Cannot be changed. */
  readonly provisioning?: pulumi.Input<string | undefined>;
  /** Whether the volume may have several attachments at a time. Default: `false`. */
  readonly multiattach?: pulumi.Input<boolean | undefined>;
  /** Refuses to delete the volume: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  readonly deletionProtection?: pulumi.Input<boolean | undefined>;
  /** What destroying the resource does: `delete` deletes the volume and its data; `retain` leaves it on the backend, marked as retained. Default: `"delete"`. */
  readonly deletionPolicy?: pulumi.Input<string | undefined>;
  /** Any strings; kept on the host with the volume, over the provider's `defaultLabels`. */
  readonly labels?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<VolumeTimeoutsArgs | undefined>;
  /** The id of a volume that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the volume; afterwards it may stay or go. */
  readonly adopt?: pulumi.Input<string | undefined>;
}

/** A volume: block storage allocated on a backend. */
export class Volume extends DynamicResource {
  /** The volume's name: unique for owner and backend, kept as metadata on the host, changed in place. Exactly one of `name` and `namePrefix` is given. */
  declare readonly name: pulumi.Output<string>;
  /** What a generated, unique name begins with. Lets a replacement be created before the old volume is destroyed. */
  declare readonly namePrefix: pulumi.Output<string | undefined>;
  /** Size in GiB, required unless `source` gives it. Grows in place; a smaller size than the volume has is refused at plan. */
  declare readonly size: pulumi.Output<number>;
  /** The backend to allocate on, a key of the provider's `backends`; `name#pool` for one of its pools. A change is refused at plan, unless `onBackendChange` allows it. */
  declare readonly backend: pulumi.Output<string>;
  /** What a changed `backend` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes an empty one on the other backend. Default: `"refuse"`. */
  declare readonly onBackendChange: pulumi.Output<string>;
  /** What the new volume's content is copied from, on the same backend; afterwards the two are independent. Exactly one of its attributes is given. Without a source the volume reads as zeros. */
  declare readonly source: pulumi.Output<VolumeSource | undefined>;
  /** What a changed `source` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes it anew from the new source; `keep` notes the new source and leaves the data as it is. Removing `source` never touches the volume. Default: `"refuse"`. */
  declare readonly onSourceChange: pulumi.Output<string>;
  /** `thin` takes space as it is written, `thick` reserves all of it at once. Default: the backend's first. Cannot be changed. */
  declare readonly provisioning: pulumi.Output<string>;
  /** Whether the volume may have several attachments at a time. Default: `false`. */
  declare readonly multiattach: pulumi.Output<boolean>;
  /** Refuses to delete the volume: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  declare readonly deletionProtection: pulumi.Output<boolean>;
  /** What destroying the resource does: `delete` deletes the volume and its data; `retain` leaves it on the backend, marked as retained. Default: `"delete"`. */
  declare readonly deletionPolicy: pulumi.Output<string>;
  /** Any strings; kept on the host with the volume, over the provider's `defaultLabels`. */
  declare readonly labels: pulumi.Output<{ readonly [key: string]: string } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  declare readonly timeouts: pulumi.Output<VolumeTimeouts | undefined>;
  /** `labels` and the provider's `defaultLabels` together, as kept on the host. */
  declare readonly labelsAll: pulumi.Output<{ readonly [key: string]: string }>;
  /** The pool of the backend that the volume is in. */
  declare readonly pool: pulumi.Output<string>;
  /** The exact size in bytes. */
  declare readonly sizeBytes: pulumi.Output<number>;
  /** Where the data is on the storage host, in the technology's own terms. */
  declare readonly providerLocation: pulumi.Output<string>;
  /** Path of the volume on the storage host itself, where it has one. */
  declare readonly devicePath: pulumi.Output<string | undefined>;
  /** What the storage behind the backend calls itself; it must stay the same for the volume to count as gone. */
  declare readonly backendIdentity: pulumi.Output<string>;
  /** When the volume was created, RFC 3339 in UTC. */
  declare readonly createdAt: pulumi.Output<string>;

  constructor(name: string, args: VolumeArgs, options?: pulumi.CustomResourceOptions) {
    super(
      {
        resource: "volume",
        type: "Volume",
        properties: ["name", "namePrefix", "size", "backend", "onBackendChange", "source", "onSourceChange", "provisioning", "multiattach", "deletionProtection", "deletionPolicy", "labels", "timeouts", "labelsAll", "pool", "sizeBytes", "providerLocation", "devicePath", "backendIdentity", "createdAt"],
        secrets: [],
      },
      name,
      args,
      options,
    );
  }

  /** True when `value` is one of these, also where another copy of this package made it. */
  static override isInstance(value: unknown): value is Volume {
    return pulumi.Resource.isInstance(value) && (value as { __pulumiType?: unknown }).__pulumiType === typeToken("Volume");
  }
}

/** What a `Snapshot` is made from. */
export interface SnapshotArgs {
  /** The volume to take the snapshot of. A change takes a new snapshot in place of this one. A change makes a new object in place of the old one. */
  readonly volumeId: pulumi.Input<string>;
  /** The snapshot's name: unique for owner and backend, kept as metadata on the host, changed in place. Generated when it is left out. */
  readonly name?: pulumi.Input<string | undefined>;
  /** Refuses to delete the snapshot: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  readonly deletionProtection?: pulumi.Input<boolean | undefined>;
  /** Any strings; kept on the host with the snapshot, over the provider's `defaultLabels`. */
  readonly labels?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<SnapshotTimeoutsArgs | undefined>;
  /** The id of a snapshot that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the snapshot; afterwards it may stay or go. */
  readonly adopt?: pulumi.Input<string | undefined>;
}

/** A snapshot: a volume's content at one point in time, from which new volumes can be made. Where the host's file system has no reflinks (ext4, for one), it is a copy, and the volume must not have an attachment in mode `rw` while it is taken: let the attachment depend on the snapshot (`depends_on`, `dependsOn`). */
export class Snapshot extends DynamicResource {
  /** The volume to take the snapshot of. A change takes a new snapshot in place of this one. A change makes a new object in place of the old one. */
  declare readonly volumeId: pulumi.Output<string>;
  /** The snapshot's name: unique for owner and backend, kept as metadata on the host, changed in place. Generated when it is left out. */
  declare readonly name: pulumi.Output<string>;
  /** Refuses to delete the snapshot: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  declare readonly deletionProtection: pulumi.Output<boolean>;
  /** Any strings; kept on the host with the snapshot, over the provider's `defaultLabels`. */
  declare readonly labels: pulumi.Output<{ readonly [key: string]: string } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  declare readonly timeouts: pulumi.Output<SnapshotTimeouts | undefined>;
  /** `labels` and the provider's `defaultLabels` together, as kept on the host. */
  declare readonly labelsAll: pulumi.Output<{ readonly [key: string]: string }>;
  /** The volume's size in GiB when the snapshot was taken. */
  declare readonly size: pulumi.Output<number>;
  /** The same in bytes. */
  declare readonly sizeBytes: pulumi.Output<number>;
  /** What the storage behind the backend calls itself; it must stay the same for the snapshot to count as gone. */
  declare readonly backendIdentity: pulumi.Output<string>;
  /** When the snapshot was taken, RFC 3339 in UTC. */
  declare readonly createdAt: pulumi.Output<string>;

  constructor(name: string, args: SnapshotArgs, options?: pulumi.CustomResourceOptions) {
    super(
      {
        resource: "snapshot",
        type: "Snapshot",
        properties: ["volumeId", "name", "deletionProtection", "labels", "timeouts", "labelsAll", "size", "sizeBytes", "backendIdentity", "createdAt"],
        secrets: [],
      },
      name,
      args,
      options,
    );
  }

  /** True when `value` is one of these, also where another copy of this package made it. */
  static override isInstance(value: unknown): value is Snapshot {
    return pulumi.Resource.isInstance(value) && (value as { __pulumiType?: unknown }).__pulumiType === typeToken("Snapshot");
  }
}

/** What a `Attachment` is made from. */
export interface AttachmentArgs {
  /** The volume to attach. A change detaches the old volume and attaches the new one. A change makes a new object in place of the old one. */
  readonly volumeId: pulumi.Input<string>;
  /** The volume's size in GiB, normally `breezeblock_volume.x.size`: when the volume grows, its consumer then sees the new size in the same apply. */
  readonly volumeSize?: pulumi.Input<number | undefined>;
  /** The consumer, a key of the provider's `hosts`. A backend that exports nothing (protocol `local`) can be attached on its own host only. Exactly one of `host` and `connector` is given. A change makes a new object in place of the old one. */
  readonly host?: pulumi.Input<string | undefined>;
  /** Who is granted access, for a consumer that logs in by other means. Which attributes are needed depends on the protocol: `host` for `local`. A change makes a new object in place of the old one. */
  readonly connector?: pulumi.Input<AttachmentConnectorArgs | undefined>;
  /** Read and write, or read only. Default: `"rw"`. A change makes a new object in place of the old one. */
  readonly mode?: pulumi.Input<string | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<AttachmentTimeoutsArgs | undefined>;
  /** The id of a attachment that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the attachment; afterwards it may stay or go. */
  readonly adopt?: pulumi.Input<string | undefined>;
}

/** An attachment: a consumer's access to a volume, and the device there where the consumer is a host of the configuration. */
export class Attachment extends DynamicResource {
  /** The volume to attach. A change detaches the old volume and attaches the new one. A change makes a new object in place of the old one. */
  declare readonly volumeId: pulumi.Output<string>;
  /** The volume's size in GiB, normally `breezeblock_volume.x.size`: when the volume grows, its consumer then sees the new size in the same apply. */
  declare readonly volumeSize: pulumi.Output<number | undefined>;
  /** The consumer, a key of the provider's `hosts`. A backend that exports nothing (protocol `local`) can be attached on its own host only. Exactly one of `host` and `connector` is given. A change makes a new object in place of the old one. */
  declare readonly host: pulumi.Output<string | undefined>;
  /** Who is granted access, for a consumer that logs in by other means. Which attributes are needed depends on the protocol: `host` for `local`. A change makes a new object in place of the old one. */
  declare readonly connector: pulumi.Output<AttachmentConnector | undefined>;
  /** Read and write, or read only. Default: `"rw"`. A change makes a new object in place of the old one. */
  declare readonly mode: pulumi.Output<string>;
  /** How long each operation may take before it is stopped with an error. */
  declare readonly timeouts: pulumi.Output<AttachmentTimeouts | undefined>;
  /** A stable path of the device on the consumer; null where only access is granted. */
  declare readonly devicePath: pulumi.Output<string | undefined>;
  /** How the consumer reaches the volume. */
  declare readonly connectionInfo: pulumi.Output<AttachmentConnectionInfo>;
  /** The size in GiB that the consumer sees. */
  declare readonly size: pulumi.Output<number>;
  /** What the storage behind the backend calls itself; it must stay the same for the attachment to count as gone. */
  declare readonly backendIdentity: pulumi.Output<string>;

  constructor(name: string, args: AttachmentArgs, options?: pulumi.CustomResourceOptions) {
    super(
      {
        resource: "attachment",
        type: "Attachment",
        properties: ["volumeId", "volumeSize", "host", "connector", "mode", "timeouts", "devicePath", "connectionInfo", "size", "backendIdentity"],
        secrets: [],
      },
      name,
      args,
      options,
    );
  }

  /** True when `value` is one of these, also where another copy of this package made it. */
  static override isInstance(value: unknown): value is Attachment {
    return pulumi.Resource.isInstance(value) && (value as { __pulumiType?: unknown }).__pulumiType === typeToken("Attachment");
  }
}

/** What `getBackends` looks for. */
export interface GetBackendsArgs {
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetBackendsTimeoutsArgs | undefined;
}

/** What `getBackendsOutput` looks for. */
export interface GetBackendsOutputArgs {
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<GetBackendsOutputTimeoutsArgs | undefined>;
}

/** What `getBackends` finds. */
export interface GetBackendsResult {
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetBackendsTimeouts | undefined;
  /** Each backend of the provider, by name. */
  readonly backends: { readonly [key: string]: GetBackendsBackends };
}

/** All backends of the provider with their capacity and abilities. A backend that cannot be used is listed with the reason; it is no error. Read by the program itself, also in previews. */
export function getBackends(args: GetBackendsArgs = {}): Promise<GetBackendsResult> {
  return readDataSource("backends", args);
}

/** As `getBackends`, for arguments that are outputs; it waits until they are known. */
export function getBackendsOutput(args: GetBackendsOutputArgs = {}): pulumi.Output<GetBackendsResult> {
  return pulumi.output(args).apply((known) => getBackends(known as GetBackendsArgs));
}

/** What `getVolume` looks for. */
export interface GetVolumeArgs {
  /** The volume's id; or give `backend` and `name`. */
  readonly id?: string | undefined;
  /** The volume's backend, with `name`. */
  readonly backend?: string | undefined;
  /** The volume's name, with `backend`. */
  readonly name?: string | undefined;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetVolumeTimeoutsArgs | undefined;
}

/** What `getVolumeOutput` looks for. */
export interface GetVolumeOutputArgs {
  /** The volume's id; or give `backend` and `name`. */
  readonly id?: pulumi.Input<string | undefined>;
  /** The volume's backend, with `name`. */
  readonly backend?: pulumi.Input<string | undefined>;
  /** The volume's name, with `backend`. */
  readonly name?: pulumi.Input<string | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<GetVolumeOutputTimeoutsArgs | undefined>;
}

/** What `getVolume` finds. */
export interface GetVolumeResult {
  /** The volume's id; or give `backend` and `name`. */
  readonly id: string;
  /** The volume's backend, with `name`. */
  readonly backend: string;
  /** The volume's name, with `backend`. */
  readonly name: string;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetVolumeTimeouts | undefined;
  /** Size in GiB, rounded up. */
  readonly size: number;
  /** The exact size in bytes. */
  readonly sizeBytes: number;
  /** The pool of the backend that the volume is in. */
  readonly pool: string;
  /** `thin` or `thick`. */
  readonly provisioning: string;
  /** Whether the volume may have several attachments. */
  readonly multiattach: boolean;
  /** Whether deleting the volume is refused. */
  readonly deletionProtection: boolean;
  /** `creating`, `available` or `retained`. */
  readonly status: string;
  /** Its labels, default labels included. */
  readonly labels: { readonly [key: string]: string };
  /** Who has access to it. */
  readonly attachments: readonly GetVolumeAttachments[];
  /** Where the data is on the storage host. */
  readonly providerLocation: string;
  /** What the storage behind the backend calls itself. */
  readonly backendIdentity: string;
  /** When the volume was created, RFC 3339 in UTC. */
  readonly createdAt: string;
}

/** A volume that is there already, by id or by backend and name. Read by the program itself, also in previews. */
export function getVolume(args: GetVolumeArgs = {}): Promise<GetVolumeResult> {
  return readDataSource("volume", args);
}

/** As `getVolume`, for arguments that are outputs; it waits until they are known. */
export function getVolumeOutput(args: GetVolumeOutputArgs = {}): pulumi.Output<GetVolumeResult> {
  return pulumi.output(args).apply((known) => getVolume(known as GetVolumeArgs));
}

/** What `getSnapshot` looks for. */
export interface GetSnapshotArgs {
  /** The snapshot's id; or give `backend` and `name`. */
  readonly id?: string | undefined;
  /** The snapshot's backend, with `name`. */
  readonly backend?: string | undefined;
  /** The snapshot's name, with `backend`. */
  readonly name?: string | undefined;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetSnapshotTimeoutsArgs | undefined;
}

/** What `getSnapshotOutput` looks for. */
export interface GetSnapshotOutputArgs {
  /** The snapshot's id; or give `backend` and `name`. */
  readonly id?: pulumi.Input<string | undefined>;
  /** The snapshot's backend, with `name`. */
  readonly backend?: pulumi.Input<string | undefined>;
  /** The snapshot's name, with `backend`. */
  readonly name?: pulumi.Input<string | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<GetSnapshotOutputTimeoutsArgs | undefined>;
}

/** What `getSnapshot` finds. */
export interface GetSnapshotResult {
  /** The snapshot's id; or give `backend` and `name`. */
  readonly id: string;
  /** The snapshot's backend, with `name`. */
  readonly backend: string;
  /** The snapshot's name, with `backend`. */
  readonly name: string;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetSnapshotTimeouts | undefined;
  /** The volume that it was taken of. */
  readonly volumeId: string;
  /** The volume's size in GiB when the snapshot was taken. */
  readonly size: number;
  /** The same in bytes. */
  readonly sizeBytes: number;
  /** Whether deleting the snapshot is refused. */
  readonly deletionProtection: boolean;
  /** `creating` or `available`. */
  readonly status: string;
  /** Its labels, default labels included. */
  readonly labels: { readonly [key: string]: string };
  /** What the storage behind the backend calls itself. */
  readonly backendIdentity: string;
  /** When the snapshot was taken, RFC 3339 in UTC. */
  readonly createdAt: string;
}

/** A snapshot that is there already, by id or by backend and name. Read by the program itself, also in previews. */
export function getSnapshot(args: GetSnapshotArgs = {}): Promise<GetSnapshotResult> {
  return readDataSource("snapshot", args);
}

/** As `getSnapshot`, for arguments that are outputs; it waits until they are known. */
export function getSnapshotOutput(args: GetSnapshotOutputArgs = {}): pulumi.Output<GetSnapshotResult> {
  return pulumi.output(args).apply((known) => getSnapshot(known as GetSnapshotArgs));
}

export interface VolumeSource {
  /** The snapshot whose content the volume starts with. */
  readonly snapshotId?: string | undefined;
  /** The volume whose content the volume starts with (a clone). */
  readonly volumeId?: string | undefined;
}

export interface VolumeTimeouts {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: string | undefined;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: string | undefined;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: string | undefined;
}

export interface VolumeSourceArgs {
  /** The snapshot whose content the volume starts with. */
  readonly snapshotId?: pulumi.Input<string | undefined>;
  /** The volume whose content the volume starts with (a clone). */
  readonly volumeId?: pulumi.Input<string | undefined>;
}

export interface VolumeTimeoutsArgs {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: pulumi.Input<string | undefined>;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: pulumi.Input<string | undefined>;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: pulumi.Input<string | undefined>;
}

export interface SnapshotTimeouts {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: string | undefined;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: string | undefined;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: string | undefined;
}

export interface SnapshotTimeoutsArgs {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: pulumi.Input<string | undefined>;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: pulumi.Input<string | undefined>;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: pulumi.Input<string | undefined>;
}

export interface AttachmentConnector {
  /** The consumer's host name. */
  readonly host?: string | undefined;
  /** The consumer's iSCSI initiator name (IQN). */
  readonly initiator?: string | undefined;
  /** The consumer's NVMe host name (NQN). */
  readonly nqn?: string | undefined;
  /** The consumer's address. */
  readonly ip?: string | undefined;
}

export interface AttachmentTimeouts {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: string | undefined;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: string | undefined;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: string | undefined;
}

export interface AttachmentConnectionInfo {
  /** The protocol: `local`. */
  readonly driverVolumeType: string;
  /** What the protocol needs to connect; no passwords. */
  readonly data: { readonly [key: string]: string };
}

export interface AttachmentConnectorArgs {
  /** The consumer's host name. */
  readonly host?: pulumi.Input<string | undefined>;
  /** The consumer's iSCSI initiator name (IQN). */
  readonly initiator?: pulumi.Input<string | undefined>;
  /** The consumer's NVMe host name (NQN). */
  readonly nqn?: pulumi.Input<string | undefined>;
  /** The consumer's address. */
  readonly ip?: pulumi.Input<string | undefined>;
}

export interface AttachmentTimeoutsArgs {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: pulumi.Input<string | undefined>;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: pulumi.Input<string | undefined>;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: pulumi.Input<string | undefined>;
}

export interface GetBackendsTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetBackendsOutputTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
}

export interface GetBackendsTimeouts {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetBackendsBackends {
  /** The storage host, a key of the provider's `hosts`. */
  readonly host: string;
  /** How volumes are allocated: `file`. */
  readonly technology: string;
  /** Whether the backend answered and passed its setup check. */
  readonly usable: boolean;
  /** Why it is not usable. */
  readonly problem?: string | undefined;
  /** What the storage calls itself; null before anything was made on it. */
  readonly identity?: string | undefined;
  /** How consumers reach its volumes: `local`. */
  readonly storageProtocol: string;
  /** The driver's vendor. */
  readonly vendorName?: string | undefined;
  /** The driver's version. */
  readonly driverVersion?: string | undefined;
  /** Total capacity in GiB; null where unknown. */
  readonly totalCapacityGb?: number | undefined;
  /** Free capacity in GiB; null where unknown. */
  readonly freeCapacityGb?: number | undefined;
  /** What all volumes could grow to together, in GiB. */
  readonly provisionedCapacityGb?: number | undefined;
  /** How many volumes there are, everybody's. */
  readonly totalVolumes?: number | undefined;
  /** The names of its pools. */
  readonly pools: readonly string[];
  /** Whether volumes can be thin. */
  readonly thinProvisioningSupport: boolean;
  /** Whether volumes can be thick. */
  readonly thickProvisioningSupport: boolean;
  /** Whether a volume can have several attachments. */
  readonly multiattach: boolean;
  /** Whether an attached volume can grow. */
  readonly onlineExtendSupport: boolean;
}

export interface GetVolumeTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetVolumeOutputTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
}

export interface GetVolumeTimeouts {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetVolumeAttachments {
  /** The attachment's id. */
  readonly id: string;
  /** The consumer's host name. */
  readonly host?: string | undefined;
  /** `rw` or `ro`. */
  readonly mode: string;
}

export interface GetSnapshotTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetSnapshotOutputTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
}

export interface GetSnapshotTimeouts {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}
