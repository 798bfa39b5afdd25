import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Backend,
  createVolume,
  deleteVolume,
  deleteVolumeAfterSnapshot,
  type VolumeRequest,
} from "../src/backend/index.ts";
import { type JobSpec, type SnapshotRecord, StorageError, type VolumeRecord } from "../src/contract/index.ts";
import { LocalHost, localBackend, plainRequest } from "./support/backend.ts";
import { tempDirectory } from "./support/temp-directory.ts";

/** A host whose run is killed once a job of that purpose has ended. */
class DyingHost extends LocalHost {
  readonly #purpose: string;

  constructor(purpose: string) {
    super();
    this.#purpose = purpose;
  }

  override async runJob(job: JobSpec) {
    const result = await super.runJob(job);
    if (!job.id.startsWith(`${this.#purpose}-`)) return result;
    throw new StorageError({ kind: "Cancelled", action: "wait", reason: "killed" });
  }
}

class Ground {
  readonly directory = tempDirectory();

  backend(host = new LocalHost()): Backend {
    return localBackend({ directory: this.directory, host }).backend;
  }

  async volume(changes: Partial<VolumeRequest> = {}): Promise<VolumeRecord> {
    return createVolume(this.backend(), { ...plainRequest, ...changes }, undefined);
  }

  write(volume: VolumeRecord, text: string): void {
    const file = join(this.directory, `volume-${volume.id}.raw`);
    const content = readFileSync(file);
    content.write(text);
    writeFileSync(file, content);
  }

  read(snapshot: SnapshotRecord, length: number): string {
    return readFileSync(join(this.directory, `snapshot-${snapshot.id}.raw`)).toString("latin1", 0, length);
  }

  async destroy(volume: VolumeRecord, host = new LocalHost()): Promise<SnapshotRecord | undefined> {
    const backend = this.backend(host);
    const { identity } = await backend.listing();
    return deleteVolumeAfterSnapshot(backend, volume.id, identity ?? "", undefined);
  }

  async snapshots(): Promise<readonly SnapshotRecord[]> {
    return [...(await this.backend().listing()).snapshots.values()];
  }

  async has(volume: VolumeRecord): Promise<boolean> {
    return (await this.backend().listing()).volumes.has(volume.id);
  }

  files(): readonly string[] {
    return readdirSync(this.directory).filter((name) => name !== ".breezeblock");
  }
}

test("a deletion that is refused takes no snapshot, however often it is tried", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  const clone = { name: "clone", sizeBytes: null, source: { kind: "volume", id: volume.id } } as const;
  await expect(
    createVolume(ground.backend(new DyingHost("copy")), { ...plainRequest, ...clone }, undefined),
  ).rejects.toThrow();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(ground.destroy(volume)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    expect(await ground.snapshots()).toEqual([]);
    expect(await ground.has(volume)).toBe(true);
  }
});

test("what only the driver refuses leaves no snapshot either", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  const backend = ground.backend();
  const { identity } = await backend.listing();
  backend.driver.deleteVolume = async () => {
    throw new StorageError({ kind: "VolumeIsBusy", action: "delete", reason: "a guest has it open" });
  };
  await expect(deleteVolumeAfterSnapshot(backend, volume.id, identity ?? "", undefined)).rejects.toThrow(
    /a guest has it open/,
  );
  expect(await ground.snapshots()).toEqual([]);
  expect(await ground.has(volume)).toBe(true);
});

test("where the deletion fails after the snapshot is whole, the error names it, and it stays", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  ground.write(volume, "precious");
  const backend = ground.backend();
  const { identity } = await backend.listing();
  backend.driver.deleteVolume = async () => {
    throw new StorageError({ kind: "OperationInDoubt", action: "delete", reason: "the connection was lost" });
  };
  const failed = deleteVolumeAfterSnapshot(backend, volume.id, identity ?? "", undefined);
  await expect(failed).rejects.toThrow(/connection was lost\. Its last snapshot "db-last-[^"]*" .* is kept/);
  const [kept] = await ground.snapshots();
  expect(kept).toMatchObject({ phase: "retained" });
  expect(kept && ground.read(kept, 8)).toBe("precious");
});

test("a copy that a killed run has finished is not taken for what is on the volume by now", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  ground.write(volume, "old");
  await expect(ground.destroy(volume, new DyingHost("copy"))).rejects.toThrow(/killed/);
  ground.write(volume, "new");
  const last = await ground.destroy(volume);
  expect(last && ground.read(last, 3)).toBe("new");
  expect(await ground.has(volume)).toBe(false);
  expect(await ground.snapshots()).toHaveLength(1);
});

test("a volume that is written to while it is copied stays", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  class WrittenTo extends LocalHost {
    override async runJob(job: JobSpec) {
      // In place of cp: as if somebody wrote just then.
      const tools = tempDirectory();
      const write = `printf later | dd of="${ground.directory}/volume-${volume.id}.raw" conv=notrunc status=none`;
      writeFileSync(join(tools, "cp"), `#!/bin/sh\n/bin/cp "$@" && ${write}\n`, { mode: 0o755 });
      return super.runJob({ ...job, argv: ["env", `PATH=${tools}:${process.env["PATH"]}`, ...job.argv] });
    }
  }
  await expect(ground.destroy(volume, new WrittenTo())).rejects.toThrow(/was written to while it was copied/);
  expect(await ground.has(volume)).toBe(true);
  expect(await ground.snapshots()).toEqual([]);
});

test("after a killed deletion, one without a last snapshot leaves nothing", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  await expect(ground.destroy(volume, new DyingHost("copy"))).rejects.toThrow(/killed/);
  const backend = ground.backend();
  const { identity } = await backend.listing();
  await deleteVolume(backend, volume.id, identity ?? "", undefined);
  expect(ground.files()).toEqual([]);
});

test("a volume that went meanwhile is success, and what was taken of it is told again", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  const late = ground.backend();
  const { identity } = await late.listing();
  const last = await ground.destroy(volume);
  await deleteVolumeAfterSnapshot(late, volume.id, identity ?? "", undefined);
  expect(await ground.destroy(volume)).toMatchObject({ id: last?.id });
});

test("a volume that is damaged by then is not taken for one that is gone", async () => {
  const ground = new Ground();
  const volume = await ground.volume();
  const late = ground.backend();
  const { identity } = await late.listing();
  writeFileSync(join(ground.directory, `volume-${volume.id}.json`), "{");
  await expect(deleteVolumeAfterSnapshot(late, volume.id, identity ?? "", undefined)).rejects.toMatchObject({
    kind: "VolumeBackendError",
  });
  expect(ground.files()).toHaveLength(2);
});

test("volumes with long names that are alike have last snapshots of names of their own", async () => {
  const ground = new Ground();
  const long = "a-name-that-goes-on-for-longer-than-any-last-snapshot-can-say";
  const volumes = [await ground.volume({ name: `${long}1` }), await ground.volume({ name: `${long}2` })];
  for (const volume of volumes) await ground.destroy(volume);
  const names = new Set((await ground.snapshots()).map(({ name }) => name));
  expect(names.size).toBe(2);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
});
