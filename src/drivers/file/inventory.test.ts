import { randomUUID } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { FileBackend, mebibyte, needs, newVolume } from "../../../test/support/file-backend.ts";
import { LocalExecutor } from "../../../test/support/local-executor.ts";
import { tempDirectory } from "../../../test/support/temp-directory.ts";
import { createFileDriver } from "./index.ts";

// Each change is a few processes and waits for the disk.
vi.setConfig({ testTimeout: 60_000 });

const executor = new LocalExecutor();
const driverOn = (directory: string, format: "raw" | "qcow2" = "raw") =>
  createFileDriver({ backend: "demo", directory, format });

describe("identity", () => {
  test("a directory without a marker has none, and listing does not make one", async () => {
    const directory = tempDirectory();
    expect((await driverOn(directory).inventory({ executor })).identity).toBeNull();
    expect((await driverOn(directory).inventory({ executor })).identity).toBeNull();
  });

  test("of processes that establish it at once, one wins and all return its identity", async () => {
    const directory = tempDirectory();
    const identities = await Promise.all(
      Array.from({ length: 8 }, () => driverOn(directory).establishIdentity({ executor })),
    );
    expect(new Set(identities).size).toBe(1);
    expect((await driverOn(directory).inventory({ executor })).identity).toBe(identities[0]);
  });

  test("a marker that cannot be understood is an error, not a missing one", async () => {
    const { directory } = await FileBackend.open();
    for (const text of ["", "x", "{}", '{"breezeblock":2,"identity":"a"}']) {
      writeFileSync(`${directory}/.breezeblock/identity`, text);
      await expect(driverOn(directory).inventory({ executor })).rejects.toMatchObject({
        kind: "VolumeBackendError",
      });
    }
  });

  test("DEL-3: nothing is changed when another file system has come to stand at the path", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    await backend.change(async (context) => {
      writeFileSync(
        `${backend.directory}/.breezeblock/identity`,
        `{"breezeblock":1,"identity":"${randomUUID()}"}\n`,
      );
      await expect(backend.driver.deleteVolume(volume.id, volume.owner, context)).rejects.toMatchObject({
        kind: "BackendIdentityMismatch",
      });
    });
    expect((await backend.list()).volumes.has(volume.id)).toBe(true);
  });

  test("DEL-3: metadata that changed since the listing stops a deletion", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    await backend.change(async (context) => {
      const path = `${backend.directory}/volume-${volume.id}.json`;
      writeFileSync(path, readFileSync(path, "utf8").replace("acme/prod", "acme/test"));
      await expect(backend.driver.deleteVolume(volume.id, volume.owner, context)).rejects.toThrow(
        "was changed",
      );
    });
    expect((await backend.list()).volumes.get(volume.id)?.owner).toBe("acme/test");
  });
});

describe("a directory that is not there is never an empty inventory", () => {
  test.each([
    ["missing", (path: string) => rmSync(path, { recursive: true })],
    [
      "a file",
      (path: string) => {
        rmSync(path, { recursive: true });
        writeFileSync(path, "");
      },
    ],
  ])("%s", async (_, spoil) => {
    const directory = tempDirectory();
    spoil(directory);
    const driver = driverOn(directory);
    for (const use of [
      () => driver.inventory({ executor }),
      () => driver.getVolumeStats({ executor }),
      () => driver.checkForSetupError({ executor }),
      () => driver.establishIdentity({ executor }),
    ]) {
      const error = await use().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ kind: "VolumeBackendError", backend: "demo", host: "here" });
      expect(String(error)).toContain(directory);
    }
  });

  test("unmounted: changes are refused, because the marker is gone", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    const context = { executor, fresh: await backend.list() };
    renameSync(backend.directory, `${backend.directory}.away`);
    mkdirSync(backend.directory);
    await expect(backend.driver.deleteVolume(volume.id, volume.owner, context)).rejects.toMatchObject({
      kind: "BackendIdentityMismatch",
    });
    rmSync(`${backend.directory}.away`, { recursive: true });
  });
});

describe("damage is reported object by object", () => {
  const spoilers: readonly [string, string, (metadata: string, data: string) => void][] = [
    ["missing metadata", "no metadata file", (metadata) => rmSync(metadata)],
    ["empty metadata", "empty", (metadata) => writeFileSync(metadata, "")],
    ["no JSON", "not valid JSON", (metadata) => writeFileSync(metadata, "{\n1 f 0 0 ./x\nheaders\n\0\xff")],
    ["cut off", "not valid JSON", (metadata) => truncateSync(metadata, 100)],
    ["another type", '"labels"', (metadata) => rewrite(metadata, { labels: ["x"] })],
    ["another id", '"id"', (metadata) => rewrite(metadata, { id: randomUUID() })],
    ["another format", "should not be there", (metadata) => rewrite(metadata, { format: "qcow2" })],
    ["a newer format version", "newer breezeblock", (metadata) => rewrite(metadata, { breezeblock: 2 })],
    [
      "data that is a link",
      "not a regular file",
      (_, data) => {
        rmSync(data);
        symlinkSync("/etc/passwd", data);
      },
    ],
    [
      "metadata that is a folder",
      "not a regular file",
      (metadata) => {
        rmSync(metadata);
        mkdirSync(metadata);
      },
    ],
  ];

  test.each(spoilers)("%s", async (_, reason, spoil) => {
    const backend = await FileBackend.open();
    const [healthy, volume] = [await backend.create(), await backend.create()];
    spoil(`${backend.directory}/volume-${volume.id}.json`, volume.location);
    const { volumes, damaged } = await backend.list();
    expect([...volumes.keys()]).toEqual([healthy.id]);
    expect(damaged.get(volume.id)?.reason).toContain(reason);
    expect(damaged.get(volume.id)?.reason).toContain(`${backend.directory}/volume-${volume.id}`);
    // Neither there nor gone: nothing can be done to it, and it is not made anew.
    await expect(backend.delete(volume)).rejects.toThrow(reason);
    await expect(backend.extend(volume, 8 * mebibyte)).rejects.toThrow(reason);
    await expect(backend.create({ id: volume.id })).rejects.toThrow(reason);
  });

  test("a qcow2 file without its header, and one with a backing file", async (context) => {
    needs("qcow2", context);
    const backend = await FileBackend.open({ format: "qcow2" });
    const [broken, linked] = [await backend.create(), await backend.create()];
    writeFileSync(broken.location, "QFI");
    await executor.run(["qemu-img", "create", "-q", "-f", "raw", `${backend.directory}/base`, "4M"]);
    await executor.run([
      ...["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw"],
      ...["-b", `${backend.directory}/base`, linked.location],
    ]);
    expect((await backend.list()).damaged.get(broken.id)?.reason).toContain("qcow2 header");
    await expect(backend.clone(linked)).rejects.toThrow("another file");
    await expect(backend.snapshot(linked)).rejects.toThrow("another file");
    await backend.delete(linked);
  });

  test("metadata that may not be read, and a directory that may not be entered", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    const { directory } = backend;
    // Root may read everything, so it looks as somebody else.
    const shell = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups", "sh"] : undefined;
    const somebody = new LocalExecutor({ shell });
    chmodSync(`${directory}/volume-${volume.id}.json`, 0);
    chmodSync(directory, 0o755);
    for (const path of [".breezeblock", ".breezeblock/creating"]) chmodSync(`${directory}/${path}`, 0o755);
    chmodSync(`${directory}/.breezeblock/identity`, 0o644);
    const { damaged } = await backend.driver.inventory({ executor: somebody });
    expect(damaged.get(volume.id)?.reason).toContain("Permission denied");
    for (const path of ["", "/.breezeblock"]) {
      chmodSync(`${directory}${path}`, 0);
      const error = await backend.driver.inventory({ executor: somebody }).catch((reason: unknown) => reason);
      chmodSync(`${directory}${path}`, 0o755);
      expect(error).toMatchObject({ kind: "VolumeBackendError" });
    }
  });
});

describe("changes behind our back", () => {
  test("a file that was grown shows its true size", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    truncateSync(volume.location, 9 * mebibyte);
    expect((await backend.list()).volumes.get(volume.id)?.sizeBytes).toBe(9 * mebibyte);
  });

  test("DEL-1: a volume whose data is gone is absent, and a later change of its owner sweeps its metadata", async () => {
    const backend = await FileBackend.open();
    const [gone, foreign] = [await backend.create(), await backend.create({ owner: "other" })];
    rmSync(gone.location);
    rmSync(foreign.location);
    const { volumes, damaged } = await backend.list();
    expect([volumes.size, damaged.size]).toEqual([0, 0]);
    await expect(backend.extend(gone, 8 * mebibyte)).rejects.toMatchObject({ kind: "VolumeNotFound" });
    await backend.delete(gone);
    expect(backend.leftBehind()).toEqual([`volume-${foreign.id}.json`]);
  });

  test("CRE-1: a volume whose data is gone can be made anew under its id", async () => {
    const backend = await FileBackend.open();
    const gone = await backend.create();
    rmSync(gone.location);
    expect(await backend.create({ id: gone.id })).toEqual(gone);
  });

  test("other people's files are neither listed nor touched", async () => {
    const backend = await FileBackend.open();
    const names = [
      "volume-x.raw",
      `volume-${randomUUID()}.raw.bak`,
      "notes\n.json",
      `xvolume-${randomUUID()}.raw`,
    ];
    for (const name of names) writeFileSync(`${backend.directory}/${name}`, "theirs");
    const volume = await backend.create();
    const { volumes, damaged } = await backend.list();
    expect([volumes.size, damaged.size]).toEqual([1, 0]);
    await backend.delete(volume);
    expect(backend.leftBehind()).toEqual([...names].sort());
  });
});

describe("setup and stats", () => {
  test("SET-1: a directory that cannot be is refused without I/O", async () => {
    for (const directory of ["relative/path", "/", "///", "", "/a\nb"]) {
      await expect(driverOn(directory).doSetup()).rejects.toMatchObject({ kind: "InvalidConfiguration" });
    }
    await driverOn("/srv/volumes/").doSetup();
    expect(driverOn("/srv/volumes/").lockFile).toBe("/srv/volumes/.breezeblock/lock");
  });

  test("SET-2: a usable directory passes, with one command; a missing tool is named with its package", async () => {
    const directory = tempDirectory();
    const before = executor.commands;
    await driverOn(directory).checkForSetupError({ executor });
    expect(executor.commands - before).toBe(1);
    const bare = tempDirectory();
    const { stdout } = await executor.run(["sh", "-c", "command -v sh"]);
    symlinkSync(stdout.toString().trim(), `${bare}/sh`);
    const poor = new LocalExecutor({ path: bare });
    await expect(driverOn(directory).checkForSetupError({ executor: poor })).rejects.toThrow("coreutils");
    for (const tool of "find grep head stat truncate sync cp mv rm od xargs flock setsid fallocate env".split(
      " ",
    )) {
      const found = await executor.run(["sh", "-c", 'command -v "$1"', "sh", tool]);
      symlinkSync(found.stdout.toString().trim(), `${bare}/${tool}`);
    }
    await driverOn(directory).checkForSetupError({ executor: poor });
    await expect(driverOn(directory, "qcow2").checkForSetupError({ executor: poor })).rejects.toThrow(
      "qemu-utils",
    );
  });

  test("STA-1: what is provisioned counts every volume and snapshot at its full size; one command", async () => {
    const backend = await FileBackend.open();
    const first = await backend.driver.getVolumeStats({ executor: backend.executor });
    const volume = await backend.create({ sizeBytes: 3 * 1024 * mebibyte });
    await backend.snapshot(volume);
    const before = backend.executor.commands;
    const stats = await backend.driver.getVolumeStats({ executor: backend.executor });
    expect(backend.executor.commands - before).toBe(1);
    const grown = Number(stats.provisioned_capacity_gb) - Number(first.provisioned_capacity_gb);
    expect(grown).toBeGreaterThan(5);
    expect(grown).toBeLessThan(7);
    expect(stats.total_volumes).toBe(1);
    expect(Number(stats.free_capacity_gb)).toBeLessThanOrEqual(Number(stats.total_capacity_gb));
  });
});

test("1,000 objects are listed with one command", async () => {
  const backend = await FileBackend.open();
  const model = await backend.create();
  const text = readFileSync(`${backend.directory}/volume-${model.id}.json`, "utf8");
  for (let index = 1; index < 1000; index += 1) {
    const { id } = newVolume();
    writeFileSync(`${backend.directory}/volume-${id}.json`, text.replaceAll(model.id, id));
    writeFileSync(`${backend.directory}/volume-${id}.raw`, "");
    truncateSync(`${backend.directory}/volume-${id}.raw`, model.sizeBytes);
  }
  const before = backend.executor.commands;
  const { volumes } = await backend.list();
  expect(volumes.size).toBe(1000);
  expect(backend.executor.commands - before).toBe(1);
});

test("a listing without the lock, while volumes come and go, never shows damage", async () => {
  const backend = await FileBackend.open();
  const steady = await backend.create();
  let busy = true;
  const changing = (async () => {
    for (let round = 0; round < 8; round += 1) await backend.delete(await backend.create());
    busy = false;
  })();
  const looker = driverOn(backend.directory);
  while (busy) {
    const { volumes, damaged } = await looker.inventory({ executor });
    expect([...damaged.values()]).toEqual([]);
    expect(volumes.has(steady.id)).toBe(true);
  }
  await changing;
});

function rewrite(path: string, changes: Record<string, unknown>): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...changes }));
}
