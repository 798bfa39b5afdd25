import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { findCommand } from "./support/commands.ts";
import { FileBackend, mebibyte, needs, newAttachment, newVolume } from "./support/file-backend.ts";
import { LocalExecutor } from "./support/local-executor.ts";
import { ensurePackages } from "./support/packages.ts";
import { tempDirectory } from "./support/temp-directory.ts";

/** Why these tests cannot mount anything here; `undefined` where they can. */
const obstacle = (() => {
  if (process.getuid?.() !== 0) return "only root can mount";
  const probe = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { encoding: "utf8" });
  return probe.status === 0 ? undefined : `mounting is not possible: ${probe.stderr}`;
})();

function mounted(...args: readonly string[]): string {
  const directory = tempDirectory();
  const mount = spawnSync("mount", [...args, directory], { encoding: "utf8" });
  if (mount.status !== 0) throw new Error(mount.stderr);
  onTestFinished(() => {
    spawnSync("umount", ["--lazy", directory]);
  });
  return directory;
}

const tmpfs = (options: string) => mounted("-t", "tmpfs", "-o", options, "tmpfs");

describe("a full disk", () => {
  beforeEach(({ skip }) => skip(obstacle !== undefined, `left out: ${obstacle}`));

  const noSpace = { kind: "VolumeBackendError", reason: expect.stringContaining("No space left on device") };

  test("CRE-1: a thick volume that does not fit fails in the tool's words and leaves nothing", async () => {
    const backend = await FileBackend.open({ directory: tmpfs("size=2m") });
    await expect(backend.create({ provisioning: "thick", sizeBytes: 4 * mebibyte })).rejects.toMatchObject(
      noSpace,
    );
    expect(backend.leftBehind()).toEqual([]);
    await backend.create({ provisioning: "thick", sizeBytes: mebibyte });
  });

  test.for(["raw", "qcow2"] as const)(
    "CRE-1: no room even for the metadata of a thin %s volume",
    async (format, context) => {
      needs(format, context);
      const directory = tmpfs("size=64k");
      const backend = await FileBackend.open({ directory, format });
      fill(directory);
      await expect(backend.create()).rejects.toMatchObject(noSpace);
      expect(backend.leftBehind()).toEqual(["filler"]);
    },
  );

  test("CRE-1: no inode left", async () => {
    const directory = tmpfs("nr_inodes=10");
    const backend = await FileBackend.open({ directory });
    const creations = await Promise.allSettled([1, 2, 3, 4].map(() => backend.create()));
    const failed = creations.filter(({ status }) => status === "rejected");
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed as PromiseRejectedResult[]) expect(reason).toMatchObject(noSpace);
    const { volumes, damaged } = await backend.list();
    expect([volumes.size, damaged.size]).toEqual([4 - failed.length, 0]);
    expect(backend.leftBehind()).toHaveLength(2 * volumes.size);
  });

  test("EXT-1: a thick volume that cannot grow stays as it was", async () => {
    const backend = await FileBackend.open({ directory: tmpfs("size=3m") });
    const volume = await backend.create({ provisioning: "thick", sizeBytes: mebibyte });
    await expect(backend.extend(volume, 8 * mebibyte)).rejects.toMatchObject(noSpace);
    expect((await backend.list()).volumes.get(volume.id)).toEqual(volume);
    expect((await backend.extend(volume, 2 * mebibyte)).sizeBytes).toBe(2 * mebibyte);
  });

  test("CLN-1: a copy that clearly does not fit is refused before anything is made", async () => {
    const backend = await FileBackend.open({ directory: tmpfs("size=3m") });
    const volume = await backend.create({ provisioning: "thick", sizeBytes: 2 * mebibyte });
    for (const attempt of [() => backend.clone(volume), () => backend.snapshot(volume)]) {
      await expect(attempt()).rejects.toMatchObject(noSpace);
    }
    expect(backend.leftBehind()).toHaveLength(2);
  });

  test("CLN-1: a disk that fills up while copying leaves a record that can be deleted", async () => {
    const directory = tmpfs("size=3m");
    const backend = await FileBackend.open({ directory });
    const volume = await backend.create({ sizeBytes: mebibyte });
    writeFileSync(volume.location, Buffer.alloc(mebibyte, "x"));
    const asked = newVolume({ sizeBytes: mebibyte, source: { kind: "volume", id: volume.id } });
    const creation = await backend.change((context) =>
      backend.driver.createClonedVolume(asked, volume, context),
    );
    if (creation.state !== "working") throw new Error("tmpfs has no reflinks");
    fill(directory);
    await expect(backend.runJob(creation)).rejects.toThrow("No space left on device");
    expect((await backend.list()).volumes.get(asked.id)?.phase).toBe("creating");
    await backend.change((context) => backend.driver.deleteVolume(asked.id, asked.owner, context));
    await backend.delete(volume);
    expect(backend.leftBehind()).toEqual(["filler"]);
  });

  test("updates fail without a change, deletions work", async () => {
    const directory = tmpfs("size=128k");
    const backend = await FileBackend.open({ directory });
    const volume = await backend.create();
    fill(directory);
    await expect(
      backend.change((context) => backend.driver.updateVolume(volume, { name: "new" }, context)),
    ).rejects.toMatchObject(noSpace);
    expect((await backend.list()).volumes.get(volume.id)).toEqual(volume);
    await backend.delete(volume);
    expect(backend.leftBehind()).toEqual(["filler"]);
  });

  test("SET-2: a read-only file system is refused", async () => {
    const backend = await FileBackend.open({ directory: tmpfs("size=1m") });
    spawnSync("mount", ["-o", "remount,ro", backend.directory]);
    await expect(backend.driver.checkForSetupError(backend)).rejects.toThrow("cannot be written");
    expect((await backend.list()).volumes.size).toBe(0);
  });
});

function fill(directory: string): void {
  const file = openSync(`${directory}/filler`, "w");
  try {
    for (;;) writeSync(file, Buffer.alloc(4096, "x"));
  } catch {
    closeSync(file);
  }
}

const btrfs = obstacle === undefined ? await ensurePackages(["btrfs-progs"]) : undefined;
const mkfs = findCommand("mkfs.btrfs");
const reflinks = btrfs?.available === true && mkfs !== undefined;

describe("a file system with reflinks", () => {
  beforeEach(({ skip }) => skip(!reflinks, btrfs?.reason ?? `left out: ${obstacle}`));

  const open = (format: "raw" | "qcow2" = "raw") => {
    const image = `${tempDirectory()}/image`;
    writeFileSync(image, "");
    truncateSync(image, 256 * mebibyte);
    const made = spawnSync(mkfs ?? "", ["-q", image], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
    return FileBackend.open({ directory: mounted("-o", "loop", image), format });
  };

  test("SNP-1, CLN-1: copies are made at once, also of a volume attached for writing", async () => {
    const backend = await open();
    const volume = await backend.create({ sizeBytes: 100 * mebibyte });
    writeFileSync(volume.location, Buffer.alloc(100 * mebibyte, "before"));
    await backend.attach(volume, newAttachment());
    const source = { kind: "volume", id: volume.id } as const;
    // Four full copies would not fit.
    for (const size of [100, 100, 200, 300]) {
      const asked = newVolume({ sizeBytes: size * mebibyte, source });
      const creation = await backend.change((context) =>
        backend.driver.createClonedVolume(asked, volume, context),
      );
      if (creation.state !== "ready") throw new Error("no reflink was made");
      expect(creation.record.sizeBytes).toBe(size * mebibyte);
      writeFileSync(creation.record.location, "after!", { flag: "r+" });
    }
    const snapshot = await backend.snapshot(volume);
    writeFileSync(volume.location, "after!", { flag: "r+" });
    expect(readFileSync(snapshot.location).toString("latin1", 0, 6)).toBe("before");
    expect((await backend.list()).volumes.size).toBe(5);
  });

  test("CRE-1: a thick volume shares no blocks with its copies", async () => {
    const backend = await open();
    const volume = await backend.create({ provisioning: "thick", sizeBytes: 16 * mebibyte });
    const free = () => {
      // Btrfs counts what it has committed.
      spawnSync("sync", ["-f", backend.directory]);
      return statfsSync(backend.directory).bfree * statfsSync(backend.directory).bsize;
    };
    const before = free();
    const copy = await backend.clone(volume, { provisioning: "thick" });
    expect(statSync(copy.location).blocks * 512).toBeGreaterThanOrEqual(16 * mebibyte);
    expect(before - free()).toBeGreaterThanOrEqual(16 * mebibyte);
  });
});

describe("two processes on one directory", () => {
  test("CRE-1: each creates, copies and deletes its own; nothing is lost or left", async () => {
    const directory = tempDirectory();
    const worker = fileURLToPath(new URL("./support/file-backend-worker.ts", import.meta.url));
    const backend = await FileBackend.open({ directory, executor: new LocalExecutor() });
    const ends = ["a", "b"].map(async (owner) => {
      const child = spawn(process.execPath, [worker, directory, owner, "6"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const output: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
      const [code] = await once(child, "close");
      return { code, ids: JSON.parse(Buffer.concat(output).toString()) as string[] };
    });
    const results = await Promise.all(ends);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    const { volumes, snapshots, damaged } = await backend.list();
    expect([snapshots.size, damaged.size]).toEqual([0, 0]);
    expect([...volumes.keys()].sort()).toEqual(results.flatMap(({ ids }) => ids).sort());
    expect(volumes.size).toBe(12);
    for (const volume of volumes.values()) await backend.delete(volume);
    expect(backend.leftBehind()).toEqual([]);
    expect(readdirSync(directory)).toEqual([".breezeblock"]);
  });
});
