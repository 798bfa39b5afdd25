// Generated from the declarations in resources/ by `npm run generate`. Do not edit.
import * as pulumi from "@pulumi/pulumi";
import { DynamicResource, readDataSource, readSecrets, typeToken } from "../resource-class.ts";

/** What a `Volume` is made from. */
export interface VolumeArgs {
  /** The volume's name: unique for owner and backend, kept as metadata on the host, changed in place. Exactly one of `name` and `namePrefix` is given. */
  readonly name?: pulumi.Input<string | undefined>;
  /** What a generated, unique name begins with. Lets a replacement be created before the old volume is destroyed. */
  readonly namePrefix?: pulumi.Input<string | undefined>;
  /** Size in GiB, required unless `source` gives it (of an image, on a backend that is named). Grows in place; a smaller size than the volume has is refused at plan. */
  readonly size?: pulumi.Input<number | undefined>;
  /** The backend to allocate on, a key of the provider's `backends`; `name#pool` for one of its pools. Left out, the volume goes to the best that fits (with a `source`, to that of the source): plan proves that there is one, apply decides, and the volume stays there from then on. A change is refused at plan, unless `onBackendChange` allows it. */
  readonly backend?: pulumi.Input<string | undefined>;
  /** The `availabilityZone` that the backend must be in. Counts when the volume is made; a later change is refused where the volume is elsewhere. */
  readonly availabilityZone?: pulumi.Input<string | undefined>;
  /** What the backend must be, as extra specs: capabilities (what `breezeblock_backends` shows, and `labels` of the backend) with what is required of them, as in `{ tier = "gold", "capabilities:multiattach" = "<is> True" }`. A `backend` that is named must meet them as well. Keys with any scope but `capabilities:` are left alone, but for `provisioning:type` (`thin` or `thick`). */
  readonly requirements?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;
  /** Where it must be with regard to other volumes, when it is made. What is not known at plan counts at apply. */
  readonly schedulerHints?: pulumi.Input<VolumeSchedulerHintsArgs | undefined>;
  /** What a changed `backend` does: `refuse` stops the plan; `migrate` moves the volume with its data, while it has neither attachments nor snapshots; `replace` destroys the volume **with its data** and makes an empty one on the other backend. Default: `"refuse"`. */
  readonly onBackendChange?: pulumi.Input<string | undefined>;
  /** What the new volume's content is copied from: a snapshot or a volume on the same backend, or an image; afterwards the two are independent. Exactly one of its attributes is given. Without a source the volume reads as zeros. */
  readonly source?: pulumi.Input<VolumeSourceArgs | undefined>;
  /** What a changed `source` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes it anew from the new source; `keep` notes the new source and leaves the data as it is. Removing `source` never touches the volume. Default: `"refuse"`. */
  readonly onSourceChange?: pulumi.Input<string | undefined>;
  /** `thin` takes space as it is written, `thick` reserves all of it at once. Default: the backend's first. Cannot be changed. */
  readonly provisioning?: pulumi.Input<string | undefined>;
  /** For thick volumes of LVM, what becomes of the data when the volume is deleted: `zero` (default) overwrites it, `none` leaves it on the disk until somebody is given that space. Where the backend's own `volumeClear` is `none`, nothing is left there all the same. Changed in place. */
  readonly volumeClear?: pulumi.Input<string | undefined>;
  /** Whether the volume may have several attachments at a time. Default: `false`. */
  readonly multiattach?: pulumi.Input<boolean | undefined>;
  /** Refuses to delete the volume: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  readonly deletionProtection?: pulumi.Input<boolean | undefined>;
  /** What destroying the resource does: `delete` deletes the volume and its data; `retain` leaves it on the backend, marked as retained; `snapshot` deletes it after a last snapshot, `<name>-last-<date>-<id>`, which stays on the backend, marked as retained, and is refused at plan where snapshots do not outlive their volume (thick volumes of LVM). What was applied counts, not what the change says that destroys the volume. A volume that others made and that was adopted is given back by `retain`: what breezeblock wrote on it is removed, and nothing else. Default: `"delete"`. */
  readonly deletionPolicy?: pulumi.Input<string | undefined>;
  /** Puts the volume back to one of its snapshots whenever `trigger` **changes**: everything written since the snapshot was taken is lost. The plan warns of it. Only while the volume has no attachment, and as large as it was. When `restore` is written for the first time, and on creation and import, nothing is put back: the trigger is noted. The snapshot stays. */
  readonly restore?: pulumi.Input<VolumeRestoreArgs | undefined>;
  /** Any strings; kept on the host with the volume, over the provider's `defaultLabels`. */
  readonly labels?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<VolumeTimeoutsArgs | undefined>;
  /** The id, as an import takes it, of a volume that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the volume; afterwards it may stay or go. */
  readonly adopt?: pulumi.Input<string | undefined>;
}

/** A volume: block storage allocated on a backend. */
export class Volume extends DynamicResource {
  /** The volume's name: unique for owner and backend, kept as metadata on the host, changed in place. Exactly one of `name` and `namePrefix` is given. */
  declare readonly name: pulumi.Output<string>;
  /** What a generated, unique name begins with. Lets a replacement be created before the old volume is destroyed. */
  declare readonly namePrefix: pulumi.Output<string | undefined>;
  /** Size in GiB, required unless `source` gives it (of an image, on a backend that is named). Grows in place; a smaller size than the volume has is refused at plan. */
  declare readonly size: pulumi.Output<number>;
  /** The backend to allocate on, a key of the provider's `backends`; `name#pool` for one of its pools. Left out, the volume goes to the best that fits (with a `source`, to that of the source): plan proves that there is one, apply decides, and the volume stays there from then on. A change is refused at plan, unless `onBackendChange` allows it. */
  declare readonly backend: pulumi.Output<string>;
  /** The `availabilityZone` that the backend must be in. Counts when the volume is made; a later change is refused where the volume is elsewhere. */
  declare readonly availabilityZone: pulumi.Output<string | undefined>;
  /** What the backend must be, as extra specs: capabilities (what `breezeblock_backends` shows, and `labels` of the backend) with what is required of them, as in `{ tier = "gold", "capabilities:multiattach" = "<is> True" }`. A `backend` that is named must meet them as well. Keys with any scope but `capabilities:` are left alone, but for `provisioning:type` (`thin` or `thick`). */
  declare readonly requirements: pulumi.Output<{ readonly [key: string]: string } | undefined>;
  /** Where it must be with regard to other volumes, when it is made. What is not known at plan counts at apply. */
  declare readonly schedulerHints: pulumi.Output<VolumeSchedulerHints | undefined>;
  /** What a changed `backend` does: `refuse` stops the plan; `migrate` moves the volume with its data, while it has neither attachments nor snapshots; `replace` destroys the volume **with its data** and makes an empty one on the other backend. Default: `"refuse"`. */
  declare readonly onBackendChange: pulumi.Output<string>;
  /** What the new volume's content is copied from: a snapshot or a volume on the same backend, or an image; afterwards the two are independent. Exactly one of its attributes is given. Without a source the volume reads as zeros. */
  declare readonly source: pulumi.Output<VolumeSource | undefined>;
  /** What a changed `source` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes it anew from the new source; `keep` notes the new source and leaves the data as it is. Removing `source` never touches the volume. Default: `"refuse"`. */
  declare readonly onSourceChange: pulumi.Output<string>;
  /** `thin` takes space as it is written, `thick` reserves all of it at once. Default: the backend's first. Cannot be changed. */
  declare readonly provisioning: pulumi.Output<string>;
  /** For thick volumes of LVM, what becomes of the data when the volume is deleted: `zero` (default) overwrites it, `none` leaves it on the disk until somebody is given that space. Where the backend's own `volumeClear` is `none`, nothing is left there all the same. Changed in place. */
  declare readonly volumeClear: pulumi.Output<string | undefined>;
  /** Whether the volume may have several attachments at a time. Default: `false`. */
  declare readonly multiattach: pulumi.Output<boolean>;
  /** Refuses to delete the volume: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  declare readonly deletionProtection: pulumi.Output<boolean>;
  /** What destroying the resource does: `delete` deletes the volume and its data; `retain` leaves it on the backend, marked as retained; `snapshot` deletes it after a last snapshot, `<name>-last-<date>-<id>`, which stays on the backend, marked as retained, and is refused at plan where snapshots do not outlive their volume (thick volumes of LVM). What was applied counts, not what the change says that destroys the volume. A volume that others made and that was adopted is given back by `retain`: what breezeblock wrote on it is removed, and nothing else. Default: `"delete"`. */
  declare readonly deletionPolicy: pulumi.Output<string>;
  /** Puts the volume back to one of its snapshots whenever `trigger` **changes**: everything written since the snapshot was taken is lost. The plan warns of it. Only while the volume has no attachment, and as large as it was. When `restore` is written for the first time, and on creation and import, nothing is put back: the trigger is noted. The snapshot stays. */
  declare readonly restore: pulumi.Output<VolumeRestore | undefined>;
  /** Any strings; kept on the host with the volume, over the provider's `defaultLabels`. */
  declare readonly labels: pulumi.Output<{ readonly [key: string]: string } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  declare readonly timeouts: pulumi.Output<VolumeTimeouts | undefined>;
  /** `labels` and the provider's `defaultLabels` together, as kept on the host. */
  declare readonly labelsAll: pulumi.Output<{ readonly [key: string]: string }>;
  /** Whether breezeblock's records are on the volume. False only for a volume that others made, between its import and the next apply, which claims it. */
  declare readonly claimed: pulumi.Output<boolean>;
  /** What is left of a move that was interrupted: `to NAME` while the volume is still on its old backend, `from NAME` while the old one is still to be removed. The next apply finishes the move, or takes it back where the old backend is written again. */
  declare readonly migration: pulumi.Output<string | undefined>;
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

  constructor(name: string, args: VolumeArgs = {}, options?: pulumi.CustomResourceOptions) {
    super(
      {
        resource: "volume",
        type: "Volume",
        properties: ["name", "namePrefix", "size", "backend", "availabilityZone", "requirements", "schedulerHints", "onBackendChange", "source", "onSourceChange", "provisioning", "volumeClear", "multiattach", "deletionProtection", "deletionPolicy", "restore", "labels", "timeouts", "labelsAll", "claimed", "migration", "pool", "sizeBytes", "providerLocation", "devicePath", "backendIdentity", "createdAt"],
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
  /** For snapshots of thick LVM volumes: the space that is kept for what changes in the volume, as a percentage of its size. Once it is used up, the snapshot's content is lost. Default: what the backend says. Without effect on others, and once the snapshot is taken. */
  readonly snapshotSizePercent?: pulumi.Input<number | undefined>;
  /** Any strings; kept on the host with the snapshot, over the provider's `defaultLabels`. */
  readonly labels?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<SnapshotTimeoutsArgs | undefined>;
  /** The id, as an import takes it, of a snapshot that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the snapshot; afterwards it may stay or go. */
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
  /** For snapshots of thick LVM volumes: the space that is kept for what changes in the volume, as a percentage of its size. Once it is used up, the snapshot's content is lost. Default: what the backend says. Without effect on others, and once the snapshot is taken. */
  declare readonly snapshotSizePercent: pulumi.Output<number | undefined>;
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
        properties: ["volumeId", "name", "deletionProtection", "snapshotSizePercent", "labels", "timeouts", "labelsAll", "size", "sizeBytes", "backendIdentity", "createdAt"],
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
  /** The volume's size in GiB, normally `breezeblock_volume.x.size`: when the volume grows, device and file system then grow in the same apply, while they are in use. */
  readonly volumeSize?: pulumi.Input<number | undefined>;
  /** The consumer, a key of the provider's `hosts`: it is logged in to, and gets the device. A backend that exports nothing (protocol `local`) can be attached on its own host only. Exactly one of `host`, `connection` and `connector` is given. A change makes a new object in place of the old one. */
  readonly host?: pulumi.Input<string | undefined>;
  /** The same for a machine that is not among the provider's `hosts`, as one that is made in the same configuration. Secrets are referred to, never written here: they would be kept in state. A changed `address`, `port` or `jumpHost` replaces the attachment, unless the same machine answers there. */
  readonly connection?: pulumi.Input<AttachmentConnectionArgs | undefined>;
  /** Who is granted access, for a consumer that logs in by other means. Which attributes are needed depends on the protocol: `host` for `local`, `initiator` for iSCSI, `nqn` for NVMe/TCP. What such a consumer logs in with comes from the ephemeral resource `breezeblock_connection`. A change makes a new object in place of the old one. */
  readonly connector?: pulumi.Input<AttachmentConnectorArgs | undefined>;
  /** Read and write, or read only. `rw` with a `filesystem` is refused on a volume that has another attachment. Default: `"rw"`. A change makes a new object in place of the old one. */
  readonly mode?: pulumi.Input<string | undefined>;
  /** The file system on the consumer, with `host` or `connection`: made where the volume is new, mounted, and grown with the volume. Without it, the consumer gets the bare device. */
  readonly filesystem?: pulumi.Input<AttachmentFilesystemArgs | undefined>;
  /** Whether the consumer uses all portals at a time, and goes on when one of them fails: by dm-multipath for iSCSI, by the kernel itself for NVMe. Default: `false`. */
  readonly multipath?: pulumi.Input<boolean | undefined>;
  /** Lets a destroy, or a replacement, revoke access on the storage side alone where the consumer is gone or was built anew. Has to be applied before. A consumer that answers is always detached in order, and one that uses the device is refused. Default: `false`. */
  readonly forceDetach?: pulumi.Input<boolean | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<AttachmentTimeoutsArgs | undefined>;
  /** The id, as an import takes it, of a attachment that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the attachment; afterwards it may stay or go. */
  readonly adopt?: pulumi.Input<string | undefined>;
}

/** An attachment: a consumer's access to a volume and, where the consumer is a host that can be logged in to, the device there and its file system. */
export class Attachment extends DynamicResource {
  /** The volume to attach. A change detaches the old volume and attaches the new one. A change makes a new object in place of the old one. */
  declare readonly volumeId: pulumi.Output<string>;
  /** The volume's size in GiB, normally `breezeblock_volume.x.size`: when the volume grows, device and file system then grow in the same apply, while they are in use. */
  declare readonly volumeSize: pulumi.Output<number | undefined>;
  /** The consumer, a key of the provider's `hosts`: it is logged in to, and gets the device. A backend that exports nothing (protocol `local`) can be attached on its own host only. Exactly one of `host`, `connection` and `connector` is given. A change makes a new object in place of the old one. */
  declare readonly host: pulumi.Output<string | undefined>;
  /** The same for a machine that is not among the provider's `hosts`, as one that is made in the same configuration. Secrets are referred to, never written here: they would be kept in state. A changed `address`, `port` or `jumpHost` replaces the attachment, unless the same machine answers there. */
  declare readonly connection: pulumi.Output<AttachmentConnection | undefined>;
  /** Who is granted access, for a consumer that logs in by other means. Which attributes are needed depends on the protocol: `host` for `local`, `initiator` for iSCSI, `nqn` for NVMe/TCP. What such a consumer logs in with comes from the ephemeral resource `breezeblock_connection`. A change makes a new object in place of the old one. */
  declare readonly connector: pulumi.Output<AttachmentConnector | undefined>;
  /** Read and write, or read only. `rw` with a `filesystem` is refused on a volume that has another attachment. Default: `"rw"`. A change makes a new object in place of the old one. */
  declare readonly mode: pulumi.Output<string>;
  /** The file system on the consumer, with `host` or `connection`: made where the volume is new, mounted, and grown with the volume. Without it, the consumer gets the bare device. */
  declare readonly filesystem: pulumi.Output<AttachmentFilesystem | undefined>;
  /** Whether the consumer uses all portals at a time, and goes on when one of them fails: by dm-multipath for iSCSI, by the kernel itself for NVMe. Default: `false`. */
  declare readonly multipath: pulumi.Output<boolean>;
  /** Lets a destroy, or a replacement, revoke access on the storage side alone where the consumer is gone or was built anew. Has to be applied before. A consumer that answers is always detached in order, and one that uses the device is refused. Default: `false`. */
  declare readonly forceDetach: pulumi.Output<boolean>;
  /** How long each operation may take before it is stopped with an error. */
  declare readonly timeouts: pulumi.Output<AttachmentTimeouts | undefined>;
  /** `attached`, or what was found missing on either end: `access missing`, `not logged in`, `not mounted`, `smaller than the volume`, … . What is missing is restored by the next apply. */
  declare readonly status: pulumi.Output<string>;
  /** A stable path of the device on the consumer; null where only access is granted. */
  declare readonly devicePath: pulumi.Output<string | undefined>;
  /** How the consumer reaches the volume. */
  declare readonly connectionInfo: pulumi.Output<AttachmentConnectionInfo | undefined>;
  /** The size in GiB that the consumer sees. */
  declare readonly size: pulumi.Output<number>;
  /** What the storage behind the backend calls itself; it must stay the same for the attachment to count as gone. */
  declare readonly backendIdentity: pulumi.Output<string>;

  constructor(name: string, args: AttachmentArgs, options?: pulumi.CustomResourceOptions) {
    super(
      {
        resource: "attachment",
        type: "Attachment",
        properties: ["volumeId", "volumeSize", "host", "connection", "connector", "mode", "filesystem", "multipath", "forceDetach", "timeouts", "status", "devicePath", "connectionInfo", "size", "backendIdentity"],
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

/** What a `GroupSnapshot` is made from. */
export interface GroupSnapshotArgs {
  /** The group's name: unique for owner and backend, changed in place. Its snapshots are called `<name>-1`, `<name>-2` and so on, in the order of `volumeIds`. */
  readonly name: pulumi.Input<string>;
  /** The volumes, all on one backend, each once. A change takes a new group snapshot in place of this one. A change makes a new object in place of the old one. */
  readonly volumeIds: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** Refuses to delete the snapshots: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  readonly deletionProtection?: pulumi.Input<boolean | undefined>;
  /** Any strings; kept on the host with each of the snapshots, over the provider's `defaultLabels`. */
  readonly labels?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<GroupSnapshotTimeoutsArgs | undefined>;
  /** The id, as an import takes it, of a group_snapshot that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the group_snapshot; afterwards it may stay or go. */
  readonly adopt?: pulumi.Input<string | undefined>;
}

/** Snapshots of several volumes of one backend at one point in time: together they hold what the volumes held at one moment, as after a power cut. None of the volumes may have an attachment in mode `rw` while they are taken: let the attachments depend on the group snapshot (`depends_on`, `dependsOn`). */
export class GroupSnapshot extends DynamicResource {
  /** The group's name: unique for owner and backend, changed in place. Its snapshots are called `<name>-1`, `<name>-2` and so on, in the order of `volumeIds`. */
  declare readonly name: pulumi.Output<string>;
  /** The volumes, all on one backend, each once. A change takes a new group snapshot in place of this one. A change makes a new object in place of the old one. */
  declare readonly volumeIds: pulumi.Output<readonly string[]>;
  /** Refuses to delete the snapshots: at plan, and always on the host. Default: the provider's `deletionProtection`. */
  declare readonly deletionProtection: pulumi.Output<boolean>;
  /** Any strings; kept on the host with each of the snapshots, over the provider's `defaultLabels`. */
  declare readonly labels: pulumi.Output<{ readonly [key: string]: string } | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  declare readonly timeouts: pulumi.Output<GroupSnapshotTimeouts | undefined>;
  /** `labels` and the provider's `defaultLabels` together, as kept on the host. */
  declare readonly labelsAll: pulumi.Output<{ readonly [key: string]: string }>;
  /** The id of each volume's snapshot, by the volume's id. Each can be the `source.snapshotId` of a new volume. */
  declare readonly snapshotIds: pulumi.Output<{ readonly [key: string]: string }>;
  /** What the storage behind the backend calls itself; it must stay the same for the group to count as gone. */
  declare readonly backendIdentity: pulumi.Output<string>;
  /** When the snapshots were taken, RFC 3339 in UTC. */
  declare readonly createdAt: pulumi.Output<string>;

  constructor(name: string, args: GroupSnapshotArgs, options?: pulumi.CustomResourceOptions) {
    super(
      {
        resource: "group_snapshot",
        type: "GroupSnapshot",
        properties: ["name", "volumeIds", "deletionProtection", "labels", "timeouts", "labelsAll", "snapshotIds", "backendIdentity", "createdAt"],
        secrets: [],
      },
      name,
      args,
      options,
    );
  }

  /** True when `value` is one of these, also where another copy of this package made it. */
  static override isInstance(value: unknown): value is GroupSnapshot {
    return pulumi.Resource.isInstance(value) && (value as { __pulumiType?: unknown }).__pulumiType === typeToken("GroupSnapshot");
  }
}

/** What a `Image` is made from. */
export interface ImageArgs {
  /** The volume to copy, or else `snapshotId`. It must not have an attachment in mode `rw` while it is copied. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  readonly volumeId?: pulumi.Input<string | undefined>;
  /** The snapshot to copy, or else `volumeId`; its volume may be in use. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  readonly snapshotId?: pulumi.Input<string | undefined>;
  /** The absolute path of the file on the storage host, or else `localPath`. Its directory must be there, and no file of that name: nothing is ever written over. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  readonly path?: pulumi.Input<string | undefined>;
  /** The path of the file on the machine that runs the engine, or else `path`. The image is made on the storage host first, which needs the room for it meanwhile. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  readonly localPath?: pulumi.Input<string | undefined>;
  /** What the file is to be. `qcow2` needs `qemu-img` on the storage host. A change makes a new object in place of the old one. */
  readonly format: pulumi.Input<string>;
  /** Compresses the image's clusters; for `qcow2` only. Default: `false`. A change makes a new object in place of the old one. */
  readonly compressed?: pulumi.Input<boolean | undefined>;
  /** What destroying the resource does: `retain` leaves the file where it is; `delete` removes it, where its size and checksum prove that it is still the one that was written, and refuses otherwise. Default: `"retain"`. */
  readonly deletionPolicy?: pulumi.Input<string | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<ImageTimeoutsArgs | undefined>;
  /** The id, as an import takes it, of a image that exists already, such as `fast/db` or `<backend>/<uuid>`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the image; afterwards it may stay or go. */
  readonly adopt?: pulumi.Input<string | undefined>;
}

/** A disk image: the content of a volume or a snapshot, copied out to a file on the storage host or on the machine that runs the engine, once. A file that is gone, or has another size, is made anew at the next apply; what becomes of the volume afterwards does not matter to it. */
export class Image extends DynamicResource {
  /** The volume to copy, or else `snapshotId`. It must not have an attachment in mode `rw` while it is copied. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  declare readonly volumeId: pulumi.Output<string | undefined>;
  /** The snapshot to copy, or else `volumeId`; its volume may be in use. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  declare readonly snapshotId: pulumi.Output<string | undefined>;
  /** The absolute path of the file on the storage host, or else `localPath`. Its directory must be there, and no file of that name: nothing is ever written over. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  declare readonly path: pulumi.Output<string | undefined>;
  /** The path of the file on the machine that runs the engine, or else `path`. The image is made on the storage host first, which needs the room for it meanwhile. A change makes a new image in place of this one. A change makes a new object in place of the old one. */
  declare readonly localPath: pulumi.Output<string | undefined>;
  /** What the file is to be. `qcow2` needs `qemu-img` on the storage host. A change makes a new object in place of the old one. */
  declare readonly format: pulumi.Output<string>;
  /** Compresses the image's clusters; for `qcow2` only. Default: `false`. A change makes a new object in place of the old one. */
  declare readonly compressed: pulumi.Output<boolean>;
  /** What destroying the resource does: `retain` leaves the file where it is; `delete` removes it, where its size and checksum prove that it is still the one that was written, and refuses otherwise. Default: `"retain"`. */
  declare readonly deletionPolicy: pulumi.Output<string>;
  /** How long each operation may take before it is stopped with an error. */
  declare readonly timeouts: pulumi.Output<ImageTimeouts | undefined>;
  /** The file's size in bytes. */
  declare readonly size: pulumi.Output<number>;
  /** `sha256:` and the digest of the file as it was written, as `source.image.checksum` takes it. */
  declare readonly checksum: pulumi.Output<string>;
  /** What the storage behind the backend calls itself; it must stay the same for the file to count as gone. */
  declare readonly backendIdentity: pulumi.Output<string>;
  /** When the copy was finished, RFC 3339 in UTC. */
  declare readonly createdAt: pulumi.Output<string>;

  constructor(name: string, args: ImageArgs, options?: pulumi.CustomResourceOptions) {
    super(
      {
        resource: "image",
        type: "Image",
        properties: ["volumeId", "snapshotId", "path", "localPath", "format", "compressed", "deletionPolicy", "timeouts", "size", "checksum", "backendIdentity", "createdAt"],
        secrets: [],
      },
      name,
      args,
      options,
    );
  }

  /** True when `value` is one of these, also where another copy of this package made it. */
  static override isInstance(value: unknown): value is Image {
    return pulumi.Resource.isInstance(value) && (value as { __pulumiType?: unknown }).__pulumiType === typeToken("Image");
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

/** What `getPlacement` looks for. */
export interface GetPlacementArgs {
  /** The volumes to place, by their names, or by any keys where each has a `name`. One that is there already, of this owner, keeps its backend. */
  readonly volumes: { readonly [key: string]: GetPlacementVolumesArgs };
  /** `affinity`: all of them on one backend; `anti-affinity`: no two of them on the same. Default: each where it fits best. */
  readonly policy?: string | undefined;
  /** Backends that nothing new is placed on. One among them that cannot be used counts as holding none of these volumes; any other that cannot be used stops the read while a volume is found nowhere else, as it may be there. */
  readonly excludedBackends?: readonly string[] | undefined;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetPlacementTimeoutsArgs | undefined;
}

/** What `getPlacementOutput` looks for. */
export interface GetPlacementOutputArgs {
  /** The volumes to place, by their names, or by any keys where each has a `name`. One that is there already, of this owner, keeps its backend. */
  readonly volumes: pulumi.Input<{ readonly [key: string]: pulumi.Input<GetPlacementOutputVolumesArgs> }>;
  /** `affinity`: all of them on one backend; `anti-affinity`: no two of them on the same. Default: each where it fits best. */
  readonly policy?: pulumi.Input<string | undefined>;
  /** Backends that nothing new is placed on. One among them that cannot be used counts as holding none of these volumes; any other that cannot be used stops the read while a volume is found nowhere else, as it may be there. */
  readonly excludedBackends?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<GetPlacementOutputTimeoutsArgs | undefined>;
}

/** What `getPlacement` finds. */
export interface GetPlacementResult {
  /** The volumes to place, by their names, or by any keys where each has a `name`. One that is there already, of this owner, keeps its backend. */
  readonly volumes: { readonly [key: string]: GetPlacementVolumes };
  /** `affinity`: all of them on one backend; `anti-affinity`: no two of them on the same. Default: each where it fits best. */
  readonly policy?: string | undefined;
  /** Backends that nothing new is placed on. One among them that cannot be used counts as holding none of these volumes; any other that cannot be used stops the read while a volume is found nowhere else, as it may be there. */
  readonly excludedBackends?: readonly string[] | undefined;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetPlacementTimeouts | undefined;
  /** What to write as `backend` of each volume, by its key in `volumes`: `fast`, or `fast#pool0` where the backend has several pools. */
  readonly backends: { readonly [key: string]: string };
}

/** Decides for a set of volumes where each goes, every one counting for the others: the largest first, where names decide what sizes do not. The plan keeps the answer, so that apply makes what the plan shows. Other volumes that the same plan makes are not counted. Read by the program itself, also in previews. */
export function getPlacement(args: GetPlacementArgs): Promise<GetPlacementResult> {
  return readDataSource("placement", args);
}

/** As `getPlacement`, for arguments that are outputs; it waits until they are known. */
export function getPlacementOutput(args: GetPlacementOutputArgs): pulumi.Output<GetPlacementResult> {
  return pulumi.output(args).apply((known) => getPlacement(known as GetPlacementArgs));
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
  /** `creating`, `available`, `restoring` (being put back to a snapshot), `retained` or `deleting`. */
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

/** What `getVolumes` looks for. */
export interface GetVolumesArgs {
  /** The backend, a key of the provider's `backends`. */
  readonly backend: string;
  /** Ids of volumes and snapshots that states hold. With it, what this owner has and is not named here is `orphaned`; without it nothing is. */
  readonly knownIds?: readonly string[] | undefined;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetVolumesTimeoutsArgs | undefined;
}

/** What `getVolumesOutput` looks for. */
export interface GetVolumesOutputArgs {
  /** The backend, a key of the provider's `backends`. */
  readonly backend: pulumi.Input<string>;
  /** Ids of volumes and snapshots that states hold. With it, what this owner has and is not named here is `orphaned`; without it nothing is. */
  readonly knownIds?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<GetVolumesOutputTimeoutsArgs | undefined>;
}

/** What `getVolumes` finds. */
export interface GetVolumesResult {
  /** The backend, a key of the provider's `backends`. */
  readonly backend: string;
  /** Ids of volumes and snapshots that states hold. With it, what this owner has and is not named here is `orphaned`; without it nothing is. */
  readonly knownIds?: readonly string[] | undefined;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetVolumesTimeouts | undefined;
  /** Every volume on the backend, whoever made it. */
  readonly volumes: readonly GetVolumesVolumes[];
  /** Every snapshot on the backend that breezeblock took. */
  readonly snapshots: readonly GetVolumesSnapshots[];
}

/** Everything on a backend: what this owner has, what states have lost, what is another owner's, and what others made and can be imported. Read by the program itself, also in previews. */
export function getVolumes(args: GetVolumesArgs): Promise<GetVolumesResult> {
  return readDataSource("volumes", args);
}

/** As `getVolumes`, for arguments that are outputs; it waits until they are known. */
export function getVolumesOutput(args: GetVolumesOutputArgs): pulumi.Output<GetVolumesResult> {
  return pulumi.output(args).apply((known) => getVolumes(known as GetVolumesArgs));
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
  /** `creating`, `available`, `retained` or `deleting`. */
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

/** What `getConnection` looks for. */
export interface GetConnectionArgs {
  /** The attachment's id; or give `volumeId` and `connector`. */
  readonly attachmentId?: pulumi.Input<string | undefined>;
  /** The volume, with `connector`: the attachment that this connector has of it. */
  readonly volumeId?: pulumi.Input<string | undefined>;
  /** The connector as the attachment has it, with `volumeId`. */
  readonly connector?: pulumi.Input<GetConnectionConnectorArgs | undefined>;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: pulumi.Input<GetConnectionTimeoutsArgs | undefined>;
}

/** What `getConnection` finds. */
export interface GetConnectionResult {
  /** The attachment's id; or give `volumeId` and `connector`. */
  readonly attachmentId: string;
  /** The volume, with `connector`: the attachment that this connector has of it. */
  readonly volumeId: string;
  /** The connector as the attachment has it, with `volumeId`. */
  readonly connector?: GetConnectionConnector | undefined;
  /** How long each operation may take before it is stopped with an error. */
  readonly timeouts?: GetConnectionTimeouts | undefined;
  /** How the consumer connects: `iSCSI`, `nvmet_tcp`, `local`. */
  readonly protocol: string;
  /** What the protocol needs to connect; no passwords. */
  readonly data: { readonly [key: string]: string };
  /** The name to log in with; null where nobody has to prove who they are. */
  readonly username?: string | undefined;
  /** The password to log in with. It is kept on the storage host only. */
  readonly password?: string | undefined;
}

/** How the consumer of an attachment connects, and what it logs in with. For attachments by `connector`, whose consumers log in by other means. In no plan and no state. Read by the program itself, also in previews, once the arguments are known. The result is a secret: what is kept of it, as an output or an input of another resource, is encrypted. */
export function getConnection(args: GetConnectionArgs): pulumi.Output<GetConnectionResult> {
  return readSecrets("connection", args);
}

export interface VolumeSchedulerHints {
  /** Ids of volumes whose backend it must be on. */
  readonly sameBackendAs?: readonly string[] | undefined;
  /** Ids of volumes whose backends it must not be on. */
  readonly differentBackendFrom?: readonly string[] | undefined;
}

export interface VolumeSourceImage {
  /** An http or https URL: fetched by the storage host itself where it can, otherwise by the machine that runs the engine and sent there. Or a `file:` URL, which means a file on the storage host. `http` needs a `checksum`. */
  readonly url?: string | undefined;
  /** The absolute path of a file on the storage host. */
  readonly path?: string | undefined;
  /** The path of a file on the machine that runs the engine; it is sent to the storage host. */
  readonly localPath?: string | undefined;
  /** What the image is. Never guessed: an image declared as `raw` that begins as a qcow2 file does is refused. */
  readonly format: string;
  /** What the file is compressed with. It is decompressed on the storage host, which needs the program of that name; the volume's `size` has to be written then. */
  readonly compression?: string | undefined;
  /** `sha256:` or `sha512:` and the digest of the file as it is fetched, in lower-case hexadecimal. */
  readonly checksum?: string | undefined;
}

export interface VolumeSource {
  /** The snapshot whose content the volume starts with. */
  readonly snapshotId?: string | undefined;
  /** The volume whose content the volume starts with (a clone). */
  readonly volumeId?: string | undefined;
  /** A disk image that is written to the volume when it is made. Exactly one of `url`, `path` and `localPath` is given. Without a `size` the volume has the image's, in whole GiB. */
  readonly image?: VolumeSourceImage | undefined;
}

export interface VolumeRestore {
  /** The snapshot, one of this volume. Written as it is, or through a variable: as a reference to the snapshot's resource, which refers to this volume itself, it would be a cycle. */
  readonly snapshotId: string;
  /** Any text, such as a date or a ticket's number. Another one restores (again). */
  readonly trigger: string;
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

export interface VolumeSchedulerHintsArgs {
  /** Ids of volumes whose backend it must be on. */
  readonly sameBackendAs?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
  /** Ids of volumes whose backends it must not be on. */
  readonly differentBackendFrom?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
}

export interface VolumeSourceImageArgs {
  /** An http or https URL: fetched by the storage host itself where it can, otherwise by the machine that runs the engine and sent there. Or a `file:` URL, which means a file on the storage host. `http` needs a `checksum`. */
  readonly url?: pulumi.Input<string | undefined>;
  /** The absolute path of a file on the storage host. */
  readonly path?: pulumi.Input<string | undefined>;
  /** The path of a file on the machine that runs the engine; it is sent to the storage host. */
  readonly localPath?: pulumi.Input<string | undefined>;
  /** What the image is. Never guessed: an image declared as `raw` that begins as a qcow2 file does is refused. */
  readonly format: pulumi.Input<string>;
  /** What the file is compressed with. It is decompressed on the storage host, which needs the program of that name; the volume's `size` has to be written then. */
  readonly compression?: pulumi.Input<string | undefined>;
  /** `sha256:` or `sha512:` and the digest of the file as it is fetched, in lower-case hexadecimal. */
  readonly checksum?: pulumi.Input<string | undefined>;
}

export interface VolumeSourceArgs {
  /** The snapshot whose content the volume starts with. */
  readonly snapshotId?: pulumi.Input<string | undefined>;
  /** The volume whose content the volume starts with (a clone). */
  readonly volumeId?: pulumi.Input<string | undefined>;
  /** A disk image that is written to the volume when it is made. Exactly one of `url`, `path` and `localPath` is given. Without a `size` the volume has the image's, in whole GiB. */
  readonly image?: pulumi.Input<VolumeSourceImageArgs | undefined>;
}

export interface VolumeRestoreArgs {
  /** The snapshot, one of this volume. Written as it is, or through a variable: as a reference to the snapshot's resource, which refers to this volume itself, it would be a cycle. */
  readonly snapshotId: pulumi.Input<string>;
  /** Any text, such as a date or a ticket's number. Another one restores (again). */
  readonly trigger: pulumi.Input<string>;
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

export interface AttachmentConnection {
  /** Host name or address of the SSH server. */
  readonly address: string;
  /** Port of the SSH server. Default 22. */
  readonly port?: number | undefined;
  /** User to log in as. */
  readonly user: string;
  /** Socket of the ssh-agent to ask. Default: `SSH_AUTH_SOCK`, where no key and no password is given. */
  readonly agentSocket?: string | undefined;
  /** File with the private key; `~` is the home directory. */
  readonly privateKeyFile?: string | undefined;
  /** Name of the environment variable that holds the password. */
  readonly passwordEnv?: string | undefined;
  /** The host's public key, as `ssh-keyscan` prints it (`ssh-ed25519 AAAA…`), or its `SHA256:` fingerprint. */
  readonly hostKey?: string | undefined;
  /** OpenSSH known_hosts file to check the host's key against. Default `~/.ssh/known_hosts`. */
  readonly knownHostsFile?: string | undefined;
  /** How to gain root on the host. Default `none`. */
  readonly become?: string | undefined;
  /** A key of the provider's `hosts`, through which the machine is reached. */
  readonly jumpHost?: string | undefined;
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

export interface AttachmentFilesystem {
  /** The type of file system. It is made only where it is certain that nothing is lost: on a volume that breezeblock made empty and that was never formatted. Cannot be changed later. */
  readonly type: string;
  /** Where it is mounted, now and at boot. Made where it is missing. */
  readonly mountPoint: string;
  /** Further mount options; `_netdev` and `nofail` are added, `ro` follows from `mode`. */
  readonly mountOptions?: readonly string[] | undefined;
  /** Further arguments of `mkfs`. Of no effect once the file system is there. */
  readonly mkfsOptions?: readonly string[] | undefined;
  /** The file system's label. Of no effect once the file system is there. */
  readonly label?: string | undefined;
  /** Owner of the file system's root, as `user` or `user:group`. Left as it is by default. */
  readonly owner?: string | undefined;
  /** Permissions of the file system's root, octal. Left as they are by default. */
  readonly mode?: string | undefined;
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
  /** The protocol: `local`, `iSCSI`, `nvmet_tcp`. */
  readonly driverVolumeType: string;
  /** What the protocol needs to connect; no passwords. */
  readonly data: { readonly [key: string]: string };
}

export interface AttachmentConnectionArgs {
  /** Host name or address of the SSH server. */
  readonly address: pulumi.Input<string>;
  /** Port of the SSH server. Default 22. */
  readonly port?: pulumi.Input<number | undefined>;
  /** User to log in as. */
  readonly user: pulumi.Input<string>;
  /** Socket of the ssh-agent to ask. Default: `SSH_AUTH_SOCK`, where no key and no password is given. */
  readonly agentSocket?: pulumi.Input<string | undefined>;
  /** File with the private key; `~` is the home directory. */
  readonly privateKeyFile?: pulumi.Input<string | undefined>;
  /** Name of the environment variable that holds the password. */
  readonly passwordEnv?: pulumi.Input<string | undefined>;
  /** The host's public key, as `ssh-keyscan` prints it (`ssh-ed25519 AAAA…`), or its `SHA256:` fingerprint. */
  readonly hostKey?: pulumi.Input<string | undefined>;
  /** OpenSSH known_hosts file to check the host's key against. Default `~/.ssh/known_hosts`. */
  readonly knownHostsFile?: pulumi.Input<string | undefined>;
  /** How to gain root on the host. Default `none`. */
  readonly become?: pulumi.Input<string | undefined>;
  /** A key of the provider's `hosts`, through which the machine is reached. */
  readonly jumpHost?: pulumi.Input<string | undefined>;
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

export interface AttachmentFilesystemArgs {
  /** The type of file system. It is made only where it is certain that nothing is lost: on a volume that breezeblock made empty and that was never formatted. Cannot be changed later. */
  readonly type: pulumi.Input<string>;
  /** Where it is mounted, now and at boot. Made where it is missing. */
  readonly mountPoint: pulumi.Input<string>;
  /** Further mount options; `_netdev` and `nofail` are added, `ro` follows from `mode`. */
  readonly mountOptions?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
  /** Further arguments of `mkfs`. Of no effect once the file system is there. */
  readonly mkfsOptions?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
  /** The file system's label. Of no effect once the file system is there. */
  readonly label?: pulumi.Input<string | undefined>;
  /** Owner of the file system's root, as `user` or `user:group`. Left as it is by default. */
  readonly owner?: pulumi.Input<string | undefined>;
  /** Permissions of the file system's root, octal. Left as they are by default. */
  readonly mode?: pulumi.Input<string | undefined>;
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

export interface GroupSnapshotTimeouts {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: string | undefined;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: string | undefined;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: string | undefined;
}

export interface GroupSnapshotTimeoutsArgs {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: pulumi.Input<string | undefined>;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
  /** How long update may take, as a duration such as `30m`. */
  readonly update?: pulumi.Input<string | undefined>;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: pulumi.Input<string | undefined>;
}

export interface ImageTimeouts {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: string | undefined;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
  /** How long delete may take, as a duration such as `30m`. */
  readonly delete?: string | undefined;
}

export interface ImageTimeoutsArgs {
  /** How long create may take, as a duration such as `30m`. */
  readonly create?: pulumi.Input<string | undefined>;
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
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

export interface GetBackendsBackendsPools {
  /** Total capacity in GiB; null where unknown. */
  readonly totalCapacityGb?: number | undefined;
  /** Free capacity in GiB; null where unknown. */
  readonly freeCapacityGb?: number | undefined;
  /** What all volumes could grow to together, in GiB; what others take up included. */
  readonly provisionedCapacityGb?: number | undefined;
  /** How much of the total is never given to volumes, in percent. */
  readonly reservedPercentage?: number | undefined;
  /** How many times the capacity may be promised to thin volumes: a number, or `auto`. */
  readonly maxOverSubscriptionRatio?: string | undefined;
  /** How many volumes there are, everybody's. */
  readonly totalVolumes?: number | undefined;
  /** Whether volumes can be thin. */
  readonly thinProvisioningSupport: boolean;
  /** Whether volumes can be thick. */
  readonly thickProvisioningSupport: boolean;
  /** How much of a thin pool's data space is used, in percent. */
  readonly dataPercent?: number | undefined;
  /** How much of a thin pool's space for its own records is used, in percent; without any left, the pool fails. */
  readonly metadataPercent?: number | undefined;
}

export interface GetBackendsBackends {
  /** The storage host, a key of the provider's `hosts`. */
  readonly host: string;
  /** How volumes are allocated: `file`, `lvm`. */
  readonly technology: string;
  /** Whether the backend answered and passed its setup check. */
  readonly usable: boolean;
  /** Why it is not usable. */
  readonly problem?: string | undefined;
  /** What the storage calls itself; null before anything was made on it. */
  readonly identity?: string | undefined;
  /** How consumers reach its volumes: `iSCSI`, `nvmet_tcp`, `local`. */
  readonly storageProtocol: string;
  /** The driver's vendor. */
  readonly vendorName?: string | undefined;
  /** The driver's version. */
  readonly driverVersion?: string | undefined;
  /** Total capacity in GiB; null where unknown. */
  readonly totalCapacityGb?: number | undefined;
  /** Free capacity in GiB; null where unknown. */
  readonly freeCapacityGb?: number | undefined;
  /** What all volumes could grow to together, in GiB; what others take up included. */
  readonly provisionedCapacityGb?: number | undefined;
  /** How much of the total is never given to volumes, in percent. */
  readonly reservedPercentage?: number | undefined;
  /** How many times the capacity may be promised to thin volumes: a number, or `auto`. */
  readonly maxOverSubscriptionRatio?: string | undefined;
  /** How many volumes there are, everybody's. */
  readonly totalVolumes?: number | undefined;
  /** Whether volumes can be thin. */
  readonly thinProvisioningSupport: boolean;
  /** Whether volumes can be thick. */
  readonly thickProvisioningSupport: boolean;
  /** The expression that says whether a volume may go there, as configured. */
  readonly filterFunction?: string | undefined;
  /** The expression that says how well a volume would be placed there, as configured. */
  readonly goodnessFunction?: string | undefined;
  /** Where it is, as configured. */
  readonly availabilityZone?: string | undefined;
  /** Further capabilities, as configured. */
  readonly labels: { readonly [key: string]: string };
  /** Whether a volume can have several attachments. */
  readonly multiattach: boolean;
  /** Whether an attached volume can grow. */
  readonly onlineExtendSupport: boolean;
  /** Its pools, by name; none where it is not divided into any. */
  readonly pools: { readonly [key: string]: GetBackendsBackendsPools };
}

export interface GetPlacementVolumesArgs {
  /** The volume's `name`, by which one that is there is found. Default: the key. */
  readonly name?: string | undefined;
  /** Size in GiB. */
  readonly size: number;
  /** As the volume's own. Default: what each backend makes first. */
  readonly provisioning?: string | undefined;
  /** Extra specs, as the volume's own. */
  readonly requirements?: { readonly [key: string]: string } | undefined;
  /** The `availabilityZone` that the backend must be in. */
  readonly availabilityZone?: string | undefined;
}

export interface GetPlacementTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetPlacementOutputVolumesArgs {
  /** The volume's `name`, by which one that is there is found. Default: the key. */
  readonly name?: pulumi.Input<string | undefined>;
  /** Size in GiB. */
  readonly size: pulumi.Input<number>;
  /** As the volume's own. Default: what each backend makes first. */
  readonly provisioning?: pulumi.Input<string | undefined>;
  /** Extra specs, as the volume's own. */
  readonly requirements?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;
  /** The `availabilityZone` that the backend must be in. */
  readonly availabilityZone?: pulumi.Input<string | undefined>;
}

export interface GetPlacementOutputTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
}

export interface GetPlacementVolumes {
  /** The volume's `name`, by which one that is there is found. Default: the key. */
  readonly name?: string | undefined;
  /** Size in GiB. */
  readonly size: number;
  /** As the volume's own. Default: what each backend makes first. */
  readonly provisioning?: string | undefined;
  /** Extra specs, as the volume's own. */
  readonly requirements?: { readonly [key: string]: string } | undefined;
  /** The `availabilityZone` that the backend must be in. */
  readonly availabilityZone?: string | undefined;
}

export interface GetPlacementTimeouts {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
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

export interface GetVolumesTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetVolumesOutputTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
}

export interface GetVolumesTimeouts {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}

export interface GetVolumesVolumes {
  /** `<backend>/<uuid>`; of an unmanaged volume the one that it has once it is adopted. */
  readonly id: string;
  /** Its name; null for what nobody's records name. */
  readonly name?: string | undefined;
  /** What the technology calls it: `vg0/oldlv`, `disk.img`; null for what breezeblock made. */
  readonly reference?: string | undefined;
  /** The exact size in bytes. */
  readonly sizeBytes?: number | undefined;
  /** `managed` (this owner's), `orphaned` (this owner's, but not in `knownIds`), `retained` (given up by its state on purpose), `foreign` (another owner's), `damaged` (neither there nor gone), or `unmanaged` (made by others, and nobody's records are on it). */
  readonly status: string;
  /** Whether it can be imported now. */
  readonly safeToManage: boolean;
  /** Why it cannot. */
  readonly reasonNotSafe?: string | undefined;
  /** What to import it by; null for what cannot be imported here. */
  readonly importId?: string | undefined;
}

export interface GetVolumesSnapshots {
  /** `<backend>/<uuid>`. */
  readonly id: string;
  /** Its name. */
  readonly name?: string | undefined;
  /** The volume that it was taken of. */
  readonly volumeId?: string | undefined;
  /** The exact size in bytes. */
  readonly sizeBytes?: number | undefined;
  /** `managed` (this owner's), `orphaned` (this owner's, but not in `knownIds`), `retained` (given up by its state on purpose), `foreign` (another owner's), `damaged` (neither there nor gone). */
  readonly status: string;
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

export interface GetConnectionConnectorArgs {
  /** The consumer's host name. */
  readonly host?: pulumi.Input<string | undefined>;
  /** The consumer's iSCSI initiator name (IQN). */
  readonly initiator?: pulumi.Input<string | undefined>;
  /** The consumer's NVMe host name (NQN). */
  readonly nqn?: pulumi.Input<string | undefined>;
  /** The consumer's address. */
  readonly ip?: pulumi.Input<string | undefined>;
}

export interface GetConnectionTimeoutsArgs {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: pulumi.Input<string | undefined>;
}

export interface GetConnectionConnector {
  /** The consumer's host name. */
  readonly host?: string | undefined;
  /** The consumer's iSCSI initiator name (IQN). */
  readonly initiator?: string | undefined;
  /** The consumer's NVMe host name (NQN). */
  readonly nqn?: string | undefined;
  /** The consumer's address. */
  readonly ip?: string | undefined;
}

export interface GetConnectionTimeouts {
  /** How long read may take, as a duration such as `30m`. */
  readonly read?: string | undefined;
}
