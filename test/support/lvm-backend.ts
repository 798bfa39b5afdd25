import { randomUUID } from "node:crypto";
import type {
  Attachment,
  Executor,
  Host,
  Inventory,
  JobSpec,
  LockedContext,
  NewSnapshot,
  NewVolume,
  SnapshotRecord,
  VolumeDriver,
  VolumeRecord,
  Work,
} from "../../src/contract/index.ts";
import { createLvmDriver, type LvmDriverSettings } from "../../src/drivers/lvm/index.ts";
import { newAttachment, newSnapshot, newVolume } from "./file-backend.ts";

/** An LVM driver on a host, used as a backend uses it: one lock and one fresh listing a change, jobs without the lock. */
export class LvmBackend {
  readonly host: Host;
  readonly driver: VolumeDriver;
  /** Awaited before each job starts. */
  beforeJob: (job: JobSpec) => Promise<void> = async () => undefined;

  constructor(host: Host, settings: Partial<LvmDriverSettings> = {}) {
    this.host = host;
    this.driver = createLvmDriver({
      backend: "fast",
      volumeGroup: "vg0",
      thinPool: "pool",
      volumeClear: "zero",
      ...settings,
    });
  }

  list(): Promise<Inventory> {
    return this.driver.inventory({ executor: this.host });
  }

  change<T>(
    use: (context: LockedContext) => Promise<T>,
    through: (executor: Executor) => Executor = (executor) => executor,
  ): Promise<T> {
    return this.host.withLock(this.driver.lockFile, {}, async (locked) => {
      const executor = through(locked);
      return use({ executor, fresh: await this.driver.inventory({ executor }) });
    });
  }

  async create(volume: Partial<NewVolume> = {}): Promise<VolumeRecord> {
    const asked = newVolume({ settings: {}, ...volume });
    return this.#whole(asked.id, await this.change((context) => this.driver.createVolume(asked, context)));
  }

  async clone(source: VolumeRecord, volume: Partial<NewVolume> = {}): Promise<VolumeRecord> {
    const { provisioning, sizeBytes, id } = source;
    const asked = newVolume({ provisioning, sizeBytes, source: { kind: "volume", id }, ...volume });
    return this.#whole(
      asked.id,
      await this.change((context) => this.driver.createClonedVolume(asked, source, context)),
    );
  }

  async fromSnapshot(snapshot: SnapshotRecord, volume: Partial<NewVolume> = {}): Promise<VolumeRecord> {
    const { sizeBytes, id } = snapshot;
    const asked = newVolume({ sizeBytes, source: { kind: "snapshot", id }, ...volume });
    return this.#whole(
      asked.id,
      await this.change((context) => this.driver.createVolumeFromSnapshot(asked, snapshot, context)),
    );
  }

  async snapshot(volume: VolumeRecord, snapshot: Partial<NewSnapshot> = {}): Promise<SnapshotRecord> {
    const asked = newSnapshot(volume, snapshot);
    const work = await this.change((context) => this.driver.createSnapshot(asked, volume, context));
    if (work.state === "ready") return work.record;
    throw new Error("LVM makes snapshots at once");
  }

  async extend(volume: VolumeRecord, sizeBytes: number): Promise<VolumeRecord> {
    const work = await this.change((context) => this.driver.extendVolume(volume, sizeBytes, context));
    if (work.state === "ready") return work.record;
    await this.runJob(work.job);
    const record = await this.change((context) => this.driver.completeExtension(volume, sizeBytes, context));
    await this.host.forgetJob(work.job);
    return record;
  }

  async delete({ id, owner }: VolumeRecord): Promise<void> {
    await this.#gone(id, owner, await this.change((context) => this.driver.deleteVolume(id, owner, context)));
  }

  async deleteSnapshot({ id, owner }: SnapshotRecord): Promise<void> {
    await this.#gone(
      id,
      owner,
      await this.change((context) => this.driver.deleteSnapshot(id, owner, context)),
    );
  }

  attach(volume: VolumeRecord, attachment: Partial<Attachment> = {}): Promise<VolumeRecord> {
    return this.change((context) =>
      this.driver.attachVolume(volume, newAttachment({ id: randomUUID(), ...attachment }), context),
    );
  }

  async runJob(job: JobSpec): Promise<void> {
    await this.beforeJob(job);
    const { exitCode, stderr } = await this.host.runJob(job);
    if (exitCode !== 0) throw new Error(stderr.toString());
  }

  /** Runs a command line on the host, and returns what it printed. */
  async sh(script: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.host.run(["sh", "-c", script, "sh", ...args]);
    if (exitCode !== 0) throw new Error(`${script}: ${stderr.toString()}`);
    return stdout.toString();
  }

  async #gone(id: string, owner: string, work: Work<null>): Promise<void> {
    if (work.state === "ready") return;
    await this.runJob(work.job);
    await this.change((context) => this.driver.completeDeletion(id, owner, context));
    await this.host.forgetJob(work.job);
  }

  async #whole(id: string, work: Work<VolumeRecord>): Promise<VolumeRecord> {
    if (work.state === "ready") return work.record;
    await this.runJob(work.job);
    const record = await this.change((context) => this.driver.completeVolume(id, context));
    await this.host.forgetJob(work.job);
    return record;
  }
}
