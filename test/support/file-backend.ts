import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";
import type {
  Attachment,
  Inventory,
  LockedContext,
  NewSnapshot,
  NewVolume,
  SnapshotRecord,
  VolumeDriver,
  VolumeRecord,
  Work,
} from "../../src/contract/index.ts";
import { createFileDriver } from "../../src/drivers/file/index.ts";
import { LocalExecutor } from "./local-executor.ts";
import { ensurePackages } from "./packages.ts";
import { tempDirectory } from "./temp-directory.ts";

export const mebibyte = 1024 ** 2;

/** Whether qcow2 files can be made here. */
const qemu = await ensurePackages(["qemu-utils"]);

/** For `beforeEach` and in tests: skips a test of `format` where the tools for it are missing, and says so. */
export function needs(format: "raw" | "qcow2", { skip }: TestContext): void {
  skip(format === "qcow2" && !qemu.available, qemu.reason);
}

/** A file driver on a local directory, used as a backend uses it: one lock and one fresh listing a change. */
export class FileBackend {
  readonly directory: string;
  readonly driver: VolumeDriver;
  executor: LocalExecutor;

  private constructor(directory: string, format: "raw" | "qcow2", executor: LocalExecutor) {
    this.directory = directory;
    this.driver = createFileDriver({ backend: "demo", directory, format });
    this.executor = executor;
  }

  /** In a directory of the running test's own, unless one is given; its identity is established. */
  static async open(
    options: { directory?: string; format?: "raw" | "qcow2"; executor?: LocalExecutor } = {},
  ): Promise<FileBackend> {
    const { directory = tempDirectory(), format = "raw", executor = new LocalExecutor() } = options;
    const backend = new FileBackend(directory, format, executor);
    await backend.driver.establishIdentity({ executor: backend.executor });
    return backend;
  }

  list(): Promise<Inventory> {
    return this.driver.inventory({ executor: this.executor });
  }

  change<T>(use: (context: LockedContext) => Promise<T>): Promise<T> {
    return this.executor.withLock(this.driver.lockFile, async (executor) => {
      const fresh = await this.driver.inventory({ executor });
      return use({ executor, fresh });
    });
  }

  create(volume: Partial<NewVolume> = {}): Promise<VolumeRecord> {
    return this.#finishVolume(newVolume(volume), (asked, context) =>
      this.driver.createVolume(asked, context),
    );
  }

  clone(source: VolumeRecord, volume: Partial<NewVolume> = {}): Promise<VolumeRecord> {
    const asked = newVolume({
      sizeBytes: source.sizeBytes,
      source: { kind: "volume", id: source.id },
      ...volume,
    });
    return this.#finishVolume(asked, (wanted, context) =>
      this.driver.createClonedVolume(wanted, source, context),
    );
  }

  fromSnapshot(snapshot: SnapshotRecord, volume: Partial<NewVolume> = {}): Promise<VolumeRecord> {
    const source = { kind: "snapshot", id: snapshot.id } as const;
    const asked = newVolume({ sizeBytes: snapshot.sizeBytes, source, ...volume });
    return this.#finishVolume(asked, (wanted, context) =>
      this.driver.createVolumeFromSnapshot(wanted, snapshot, context),
    );
  }

  async snapshot(volume: VolumeRecord, snapshot: Partial<NewSnapshot> = {}): Promise<SnapshotRecord> {
    const asked = newSnapshot(volume, snapshot);
    const creation = await this.change((context) => this.driver.createSnapshot(asked, volume, context));
    if (creation.state === "ready") return creation.record;
    await this.runJob(creation);
    return this.change((context) => this.driver.completeSnapshot(asked.id, context));
  }

  async extend(volume: VolumeRecord, sizeBytes: number): Promise<VolumeRecord> {
    const extension = await this.change((context) => this.driver.extendVolume(volume, sizeBytes, context));
    if (extension.state !== "ready") throw new Error("A file is extended at once.");
    return extension.record;
  }

  async delete(volume: VolumeRecord): Promise<void> {
    await this.change((context) => this.driver.deleteVolume(volume.id, volume.owner, context));
  }

  async deleteSnapshot(snapshot: SnapshotRecord): Promise<void> {
    await this.change((context) => this.driver.deleteSnapshot(snapshot.id, snapshot.owner, context));
  }

  attach(volume: VolumeRecord, attachment: Partial<Attachment> = {}): Promise<VolumeRecord> {
    return this.change((context) => this.driver.attachVolume(volume, newAttachment(attachment), context));
  }

  async runJob(creation: Extract<Work<unknown>, { state: "working" }>): Promise<void> {
    const result = await this.executor.runJob(creation.job);
    if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  }

  /** Everything below the directory but folders and what every backend keeps, sorted. */
  leftBehind(): readonly string[] {
    return readdirSync(this.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.directory.length + 1))
      .filter((path) => path !== ".breezeblock/identity" && path !== ".breezeblock/lock")
      .sort();
  }

  async #finishVolume(
    asked: NewVolume,
    create: (asked: NewVolume, context: LockedContext) => Promise<Work<VolumeRecord>>,
  ): Promise<VolumeRecord> {
    const creation = await this.change((context) => create(asked, context));
    if (creation.state === "ready") return creation.record;
    await this.runJob(creation);
    return this.change((context) => this.driver.completeVolume(asked.id, context));
  }
}

export function newVolume(volume: Partial<NewVolume> = {}): NewVolume {
  return {
    id: randomUUID(),
    name: "data",
    owner: "acme/prod",
    pool: null,
    sizeBytes: 4 * mebibyte,
    provisioning: "thin",
    multiattach: false,
    source: null,
    labels: {},
    defaultLabels: {},
    deletionProtection: false,
    settings: {},
    createdAt: "2026-01-02T03:04:05Z",
    ...volume,
  };
}

export function newSnapshot(volume: VolumeRecord, snapshot: Partial<NewSnapshot> = {}): NewSnapshot {
  return {
    id: randomUUID(),
    name: "before",
    owner: volume.owner,
    volumeId: volume.id,
    labels: {},
    defaultLabels: {},
    deletionProtection: false,
    settings: {},
    createdAt: "2026-01-02T03:04:05Z",
    ...snapshot,
  };
}

export function newAttachment(attachment: Partial<Attachment> = {}): Attachment {
  return {
    id: randomUUID(),
    connector: { host: "web1" },
    mode: "rw",
    phase: "unacknowledged",
    attachedAt: "2026-01-02T03:04:05Z",
    ...attachment,
  };
}
