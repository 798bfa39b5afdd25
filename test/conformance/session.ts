import type { LockedBackend } from "../../src/backend/backend.ts";
import {
  adoptVolume,
  attach,
  type Backend,
  type CopiedImage,
  connectionOf,
  createGroupSnapshot,
  createImage,
  createSnapshot,
  createVolume,
  deleteGroupSnapshot,
  deleteSnapshot,
  deleteVolume,
  deleteVolumeAfterSnapshot,
  detach,
  ensureAccess,
  findGroupSnapshot,
  findManageable,
  findSnapshot,
  findVolume,
  type GrantedAttachment,
  type GroupSnapshot,
  giveBackVolume,
  restoreVolume,
  type SnapshotChanges,
  type SnapshotRequest,
  updateSnapshot,
  updateVolume,
  type VolumeChanges,
  type VolumeRequest,
} from "../../src/backend/index.ts";
import type {
  AccessMode,
  ExportState,
  ImageDestination,
  ManageableVolume,
  Provisioning,
  SnapshotRecord,
  VolumeRecord,
} from "../../src/contract/index.ts";
import type { Consumer } from "./consumer.ts";
import type { Storage } from "./subject.ts";

/** The size of a new volume in bytes: small, and a multiple of every technology's allocation unit. */
export const unit = 32 * 1024 ** 2;

/** One run of a provider: what scenarios ask of a backend, with defaults for what they do not care about. */
export class Session {
  readonly backend: Backend;
  readonly #storage: Pick<Storage, "provisioning">;

  constructor(backend: Backend, storage: Pick<Storage, "provisioning">) {
    this.backend = backend;
    this.#storage = storage;
  }

  /** How volumes are made. */
  get provisioning(): Provisioning {
    return this.#storage.provisioning;
  }

  async identity(): Promise<string> {
    return (await this.backend.listing()).identity ?? "";
  }

  create(request: Partial<VolumeRequest> = {}): Promise<VolumeRecord> {
    return createVolume(
      this.backend,
      {
        name: "data",
        namePrefix: null,
        sizeBytes: unit,
        source: null,
        pool: null,
        provisioning: this.provisioning,
        multiattach: false,
        ...plain,
        ...request,
      },
      undefined,
    );
  }

  fromSnapshot(snapshot: SnapshotRecord, request: Partial<VolumeRequest> = {}): Promise<VolumeRecord> {
    return this.create({
      name: "copy",
      sizeBytes: null,
      source: { kind: "snapshot", id: snapshot.id },
      ...request,
    });
  }

  clone(source: VolumeRecord, request: Partial<VolumeRequest> = {}): Promise<VolumeRecord> {
    return this.create({
      name: "clone",
      sizeBytes: null,
      source: { kind: "volume", id: source.id },
      ...request,
    });
  }

  /** What the storage says of the volume; `undefined` when it is certainly gone. */
  async find({ id }: Pick<VolumeRecord, "id">): Promise<VolumeRecord | undefined> {
    return findVolume(this.backend, id, await this.identity());
  }

  async change({ id }: Pick<VolumeRecord, "id">, changes: VolumeChanges): Promise<VolumeRecord> {
    return updateVolume(this.backend, id, await this.identity(), changes, undefined);
  }

  extend(volume: Pick<VolumeRecord, "id">, sizeBytes: number): Promise<VolumeRecord> {
    return this.change(volume, { sizeBytes });
  }

  async delete({ id }: Pick<VolumeRecord, "id">): Promise<void> {
    await deleteVolume(this.backend, id, await this.identity(), undefined);
  }

  async deleteAfterSnapshot({ id }: Pick<VolumeRecord, "id">): Promise<SnapshotRecord | undefined> {
    return deleteVolumeAfterSnapshot(this.backend, id, await this.identity(), undefined);
  }

  /** What others made, as it can be managed; undefined where it is not there, or managed already. */
  manageable(reference: string): Promise<ManageableVolume | undefined> {
    return findManageable(this.backend, { reference });
  }

  adopt({ id, sizeBytes, provisioning, createdAt }: ManageableVolume): Promise<VolumeRecord> {
    const found = { id, sizeBytes, provisioning, createdAt };
    return adoptVolume(this.backend, { name: "adopted", multiattach: false, ...plain, ...found }, undefined);
  }

  async giveBack({ id }: Pick<VolumeRecord, "id">): Promise<void> {
    await giveBackVolume(this.backend, id, await this.identity(), undefined);
  }

  snapshot(
    volume: Pick<VolumeRecord, "id">,
    request: Partial<SnapshotRequest> = {},
  ): Promise<SnapshotRecord> {
    return createSnapshot(
      this.backend,
      { volumeId: volume.id, name: "before", ...plain, ...request },
      undefined,
    );
  }

  async findSnapshot({ id }: Pick<SnapshotRecord, "id">): Promise<SnapshotRecord | undefined> {
    return findSnapshot(this.backend, id, await this.identity());
  }

  async changeSnapshot({ id }: Pick<SnapshotRecord, "id">, changes: SnapshotChanges): Promise<void> {
    await updateSnapshot(this.backend, id, await this.identity(), changes, undefined);
  }

  unprotectSnapshot(snapshot: Pick<SnapshotRecord, "id">): Promise<void> {
    return this.changeSnapshot(snapshot, { deletionProtection: false });
  }

  /** Takes snapshots of volumes at one point in time. */
  groupSnapshot(volumes: readonly Pick<VolumeRecord, "id">[], name = "group"): Promise<GroupSnapshot> {
    const volumeIds = volumes.map(({ id }) => id);
    return createGroupSnapshot(this.backend, { volumeIds, name, ...plain }, undefined);
  }

  async findGroup({ id }: Pick<GroupSnapshot, "id">): Promise<GroupSnapshot | undefined> {
    return findGroupSnapshot(this.backend, id, await this.identity(), []);
  }

  async deleteGroup({ id, members }: Pick<GroupSnapshot, "id" | "members">): Promise<void> {
    const memberIds = members.map((member) => member.id);
    await deleteGroupSnapshot(this.backend, id, await this.identity(), memberIds, undefined);
  }

  /** Puts the volume back to its snapshot. */
  async putBack(
    { id }: Pick<VolumeRecord, "id">,
    snapshot: Pick<SnapshotRecord, "id">,
  ): Promise<VolumeRecord> {
    const request = { snapshotId: snapshot.id, settings: {}, isDone: () => false };
    return restoreVolume(this.backend, id, await this.identity(), request, undefined);
  }

  /** Copies a volume or a snapshot out to an image. */
  copyOut(
    source: Pick<VolumeRecord | SnapshotRecord, "id">,
    destination: ImageDestination,
    kind: "volume" | "snapshot" = "volume",
  ): Promise<CopiedImage> {
    return createImage(this.backend, { kind, uuid: source.id }, destination, undefined);
  }

  async deleteSnapshot({ id }: Pick<SnapshotRecord, "id">): Promise<void> {
    await deleteSnapshot(this.backend, id, await this.identity(), undefined);
  }

  /** Grants a consumer access to the volume. */
  async attach(
    volume: Pick<VolumeRecord, "id">,
    consumer: Consumer,
    mode: AccessMode = "rw",
  ): Promise<GrantedAttachment> {
    const connector = await consumer.connector();
    return attach(this.backend, { volumeId: volume.id, connector, mode }, undefined);
  }

  async connectionOf({ attachment }: Pick<GrantedAttachment, "attachment">): Promise<GrantedAttachment> {
    return connectionOf(this.backend, attachment.id, await this.identity(), undefined);
  }

  /** Gives back whatever is missing of a recorded attachment's access. */
  async restore({ attachment }: Pick<GrantedAttachment, "attachment">): Promise<GrantedAttachment> {
    return ensureAccess(this.backend, attachment.id, await this.identity(), {}, undefined);
  }

  async detach({ attachment, volume }: Pick<GrantedAttachment, "attachment" | "volume">): Promise<void> {
    await detach(this.backend, attachment.id, await this.identity(), volume.id, undefined);
  }

  /** The volume's export as it stands on the storage host. */
  async exportOf({ id }: Pick<VolumeRecord, "id">): Promise<ExportState | undefined> {
    const exports = await this.backend.target.exports({ executor: this.backend.host });
    return exports.get(id);
  }

  /** Works with driver and target themselves, on what is there under the lock. */
  locked<T>(work: (locked: LockedBackend) => Promise<T>): Promise<T> {
    return this.backend.exclusive("conform", undefined, work);
  }
}

const plain = { labels: {}, defaultLabels: {}, deletionProtection: false, settings: {} } as const;
