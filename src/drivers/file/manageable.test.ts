import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test, vi } from "vitest";
import {
  FileBackend,
  mebibyte,
  needs,
  newAttachment,
  newVolume,
} from "../../../test/support/file-backend.ts";
import { KillingExecutor } from "../../../test/support/killing-executor.ts";
import {
  type LockedContext,
  type ManageableVolume,
  type ManagesExisting,
  managesExisting,
  type VolumeRecord,
} from "../../contract/index.ts";
import { ForeignListing } from "./manageable.ts";
import { manageableScript } from "./scripts.ts";

vi.setConfig({ testTimeout: 120_000 });

function managing({ driver }: FileBackend): ManagesExisting {
  if (!managesExisting(driver)) throw new Error("the driver does not manage existing volumes");
  return driver;
}

async function foreign(backend: FileBackend): Promise<ReadonlyMap<string, ManageableVolume>> {
  const { volumes } = await managing(backend).listManageableVolumes({ executor: backend.executor });
  return new Map(volumes.map((volume) => [volume.reference, volume]));
}

async function one(backend: FileBackend, reference: string): Promise<ManageableVolume> {
  const volume = (await foreign(backend)).get(reference);
  if (volume === undefined) throw new Error(`${reference} is not listed`);
  return volume;
}

const asked = ({ id, sizeBytes, provisioning, createdAt }: ManageableVolume) =>
  newVolume({ id, sizeBytes, provisioning, createdAt, name: "old" });

function manage(
  backend: FileBackend,
  found: ManageableVolume,
  through = (context: LockedContext) => context,
): Promise<VolumeRecord> {
  return backend.change((context) =>
    managing(backend).manageExisting(asked(found), found.reference, through(context)),
  );
}

/** What others see of a file: all but the number of its names and when that changed. */
function fingerprint(path: string): unknown {
  const { ino, size, mtimeMs, mode, uid } = lstatSync(path);
  return { ino, size, mtimeMs, mode, uid, content: readFileSync(path).toString("base64") };
}

describe("what others keep in the directory", () => {
  test("is listed with what stands against managing it", async (context) => {
    needs("qcow2", context);
    const backend = await FileBackend.open();
    const at = (name: string) => `${backend.directory}/${name}`;
    await backend.create();
    writeFileSync(at("disk.img"), Buffer.alloc(3 * 512, 7));
    writeFileSync(at("notes.txt"), "not a disk");
    writeFileSync(at("empty"), "");
    writeFileSync(at("archive.gz"), Buffer.concat([Buffer.from("1f8b", "hex"), Buffer.alloc(510)]));
    writeFileSync(at("named.qcow2"), Buffer.alloc(512));
    writeFileSync(at(".hidden"), Buffer.alloc(512));
    writeFileSync(at("volume-6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11"), Buffer.alloc(512));
    writeFileSync(at("two\nlines"), Buffer.alloc(512));
    writeFileSync(at("open.img"), Buffer.alloc(512));
    symlinkSync("disk.img", at("link.img"));
    const qemu = (...args: readonly string[]) => execFileSync("qemu-img", args, { stdio: "ignore" });
    qemu("create", "-f", "qcow2", at("whole.img"), "1G");
    qemu("create", "-f", "qcow2", at("base.img"), "1G");
    qemu("create", "-f", "qcow2", "-b", "base.img", "-F", "qcow2", at("overlay.img"));
    // By a path of another form, through a name that is not its own.
    writeFileSync(at("far.img"), Buffer.alloc(512));
    symlinkSync("far.img", at("far-link.img"));
    const far = { driver: "raw", file: { driver: "file", filename: at("far-link.img") } };
    qemu("create", "-f", "qcow2", "-b", `json:${JSON.stringify(far)}`, "-F", "raw", at("far-overlay.img"));
    qemu("create", "-f", "qcow2", "-o", `data_file=${at("content.img")}`, at("apart.img"), "1M");
    writeFileSync(at("linked.img"), Buffer.alloc(512));
    linkSync(at("linked.img"), `${backend.directory}/.elsewhere`);
    for (const name of ["vm-100-disk-0.raw", "base-9-disk-0.raw", "snap_vm-100-disk-0_a", "vm-notes.img"])
      writeFileSync(at(name), Buffer.alloc(512));
    qemu("create", "-f", "qcow2", at("snapshots.img"), "1M");
    qemu("snapshot", "-c", "one", at("snapshots.img"));
    qemu("create", "-f", "qcow2", at("guest.raw"), "1M");
    const descriptor = openSync(at("open.img"), "r");
    try {
      const listed = await foreign(backend);
      expect(Object.fromEntries([...listed].map(([name, found]) => [name, found.reason_not_safe]))).toEqual({
        "disk.img": null,
        "whole.img": null,
        "base.img": "is the backing file of overlay.img",
        "far.img": "is the backing file of far-overlay.img",
        "far-link.img": expect.stringContaining("symbolic link"),
        "far-overlay.img": expect.stringContaining("another file"),
        "content.img": "is the data file of apart.img",
        "apart.img": expect.stringContaining("another file"),
        "linked.img": "has another name (hard links)",
        "vm-100-disk-0.raw": expect.stringContaining("Proxmox"),
        "base-9-disk-0.raw": expect.stringContaining("Proxmox"),
        "snap_vm-100-disk-0_a": expect.stringContaining("Proxmox"),
        "vm-notes.img": null,
        "notes.txt": expect.stringContaining("no disk image"),
        empty: "is empty",
        "archive.gz": expect.stringContaining("gzip"),
        "named.qcow2": expect.stringContaining("no qcow2 header"),
        "volume-6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11": expect.stringContaining("Cinder"),
        "link.img": expect.stringContaining("symbolic link"),
        "open.img": `is in use by process ${process.pid}`,
        "overlay.img": expect.stringContaining("another file"),
        "snapshots.img": expect.stringContaining("snapshots of its own"),
        "guest.raw": expect.stringContaining("qcow2 header"),
      });
      expect(listed.get("whole.img")).toMatchObject({ sizeBytes: 2 ** 30, provisioning: "thin" });
      expect(listed.get("disk.img")).toMatchObject({ sizeBytes: 3 * 512, location: at("disk.img") });
    } finally {
      closeSync(descriptor);
    }
  });

  test("is found in a directory that breezeblock has never written to", async () => {
    const backend = await FileBackend.open();
    writeFileSync(`${backend.directory}/disk.img`, Buffer.alloc(512));
    const { id } = await one(backend, "disk.img");
    rmSync(`${backend.directory}/.breezeblock`, { recursive: true });
    const listed = await managing(backend).listManageableVolumes({ executor: backend.executor });
    expect(listed).toMatchObject({ identity: null, volumes: [{ id }] });
  });

  test("has the same id always, and another file another one", async () => {
    const backend = await FileBackend.open();
    const path = `${backend.directory}/disk.img`;
    writeFileSync(path, Buffer.alloc(512));
    const { id } = await one(backend, "disk.img");
    writeFileSync(path, Buffer.alloc(1024));
    expect((await one(backend, "disk.img")).id).toBe(id);
    writeFileSync(`${path}.new`, Buffer.alloc(512));
    renameSync(`${path}.new`, path);
    expect((await one(backend, "disk.img")).id).not.toBe(id);
  });
});

describe.each(["raw", "qcow2"] as const)("an adopted %s file", (format) => {
  async function planted(context: Parameters<typeof needs>[1]) {
    needs(format, context);
    const backend = await FileBackend.open({ format });
    const path = `${backend.directory}/disk one.img`;
    if (format === "raw") writeFileSync(path, Buffer.alloc(mebibyte + 512, "precious"));
    else execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", path, "3584k"]);
    return { backend, path, before: fingerprint(path), found: await one(backend, "disk one.img") };
  }

  test("keeps its name and its bytes, and is given back as it was found", async (context) => {
    const { backend, path, before, found } = await planted(context);
    const record = await manage(backend, found);
    expect(record).toMatchObject({
      id: found.id,
      name: "old",
      phase: "acknowledged",
      formatted: true,
      adoptedFrom: "disk one.img",
      location: path,
      ownPath: `${backend.directory}/volume-${found.id}.${format}`,
      format,
      sizeBytes: found.sizeBytes,
    });
    expect((await backend.list()).volumes.get(found.id)).toEqual(record);
    expect(await manage(backend, found)).toEqual(record);
    expect(fingerprint(path)).toEqual(before);
    expect([...(await foreign(backend)).keys()]).toEqual([]);
    await backend.change((locked) => managing(backend).unmanage(record, locked));
    expect(fingerprint(path)).toEqual(before);
    expect(lstatSync(path).nlink).toBe(1);
    expect(backend.leftBehind()).toEqual(["disk one.img"]);
    expect(await one(backend, "disk one.img")).toEqual(found);
  });

  test("is grown, copied, and deleted with its first name", async (context) => {
    const { backend, path, found } = await planted(context);
    const record = await manage(backend, found);
    const grown = await backend.extend(record, 8 * mebibyte);
    expect(grown).toMatchObject({ sizeBytes: 8 * mebibyte, location: path });
    const snapshot = await backend.snapshot(grown);
    await expect(backend.change((locked) => managing(backend).unmanage(grown, locked))).rejects.toMatchObject(
      { kind: "VolumeIsBusy" },
    );
    await backend.deleteSnapshot(snapshot);
    await backend.delete(grown);
    expect(backend.leftBehind()).toEqual([]);
  });

  test.each(["manage", "unmanage", "delete"] as const)(
    "killed at any step of %s, the next run finishes it",
    async (work) => {
      if (format === "qcow2") return;
      for (let step = 1; ; step += 1) {
        const backend = await FileBackend.open();
        const path = `${backend.directory}/disk.img`;
        writeFileSync(path, Buffer.alloc(512, "precious"));
        const before = fingerprint(path);
        const found = await one(backend, "disk.img");
        let killed = false;
        const dying = (context: LockedContext): LockedContext => {
          const executor = new KillingExecutor(context.executor, step);
          const run = executor.run.bind(executor);
          // Listings only read, and their names of commands are other ones.
          executor.run = async (argv, options) => {
            const isListing = !String(argv[2]).includes("sweep()");
            const result = await (isListing ? context.executor.run(argv, options) : run(argv, options));
            killed ||= executor.killed;
            return result;
          };
          return { ...context, executor };
        };
        const attempt = (run: () => Promise<unknown>) =>
          run().catch((error: unknown) => {
            if (!killed) throw error;
          });
        if (work === "manage") await attempt(() => manage(backend, found, dying));
        else await manage(backend, found);
        const record = (await backend.list()).volumes.get(found.id);
        const unmanage = (context: LockedContext) =>
          record === undefined ? Promise.resolve() : managing(backend).unmanage(record, context);
        const remove = (context: LockedContext) =>
          backend.driver.deleteVolume(found.id, "acme/prod", context);
        if (work === "unmanage") await attempt(() => backend.change((locked) => unmanage(dying(locked))));
        if (work === "delete") await attempt(() => backend.change((locked) => remove(dying(locked))));
        // The next run.
        const listing = await backend.list();
        expect(listing.damaged.size).toBe(0);
        if (work === "delete") {
          await backend.change(remove);
          expect(backend.leftBehind()).toEqual([]);
        } else {
          expect(fingerprint(path)).toEqual(before);
          expect(await manage(backend, found)).toMatchObject({ id: found.id, location: path });
          await backend.change(unmanageOf(backend, found.id));
          expect(backend.leftBehind()).toEqual(["disk.img"]);
          expect(fingerprint(path)).toEqual(before);
        }
        if (!killed) {
          expect(step).toBeGreaterThan(3);
          return;
        }
      }
    },
  );
});

function unmanageOf(backend: FileBackend, id: string) {
  return async (context: LockedContext): Promise<void> => {
    const record = context.fresh.volumes.get(id);
    if (record !== undefined) await managing(backend).unmanage(record, context);
  };
}

test("what others have locked is in use, also where nobody may see who has it open", async () => {
  const backend = await FileBackend.open();
  const path = `${backend.directory}/disk.img`;
  writeFileSync(path, Buffer.alloc(512));
  const holder = spawn("flock", [path, "sh", "-c", "echo locked && exec cat"], { stdio: "pipe" });
  try {
    await once(holder.stdout, "data");
    const script = ["-c", manageableScript, "breezeblock", backend.directory];
    const printed = execFileSync("sh", script).toString("latin1").split("\0");
    const { ino } = lstatSync(path);
    expect(printed.filter((record) => record.startsWith("lock"))).toContainEqual(
      expect.stringMatching(new RegExp(`^lock ${ino} \\d+$`)),
    );
    const unseen = printed.filter((record) => !record.startsWith(`used`)).join("\0");
    const [file] = new ForeignListing(Buffer.from(unseen), backend.directory).files([]);
    expect(file?.volume.reason_not_safe).toMatch(/^is in use by process \d+, which has locked it$/);
  } finally {
    holder.stdin.end();
    await once(holder, "exit");
  }
});

describe("managing a file", () => {
  test("is refused when it is another one, has another size, or is in use", async () => {
    const backend = await FileBackend.open();
    const path = `${backend.directory}/disk.img`;
    writeFileSync(path, Buffer.alloc(512));
    const found = await one(backend, "disk.img");
    truncateSync(path, 1024);
    await expect(manage(backend, found)).rejects.toThrow(/has 1024 bytes now/);
    truncateSync(path, 512);
    const descriptor = openSync(path, "r");
    await expect(manage(backend, found)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    closeSync(descriptor);
    rmSync(path);
    await expect(manage(backend, found)).rejects.toMatchObject({ kind: "VolumeNotFound" });
    writeFileSync(`${backend.directory}/other`, Buffer.alloc(512));
    renameSync(`${backend.directory}/other`, path);
    await expect(manage(backend, found)).rejects.toThrow(/another volume stands in the place/);
    expect(backend.leftBehind()).toEqual(["disk.img"]);
  });

  test("survives what people do to its first name", async () => {
    const backend = await FileBackend.open();
    const path = `${backend.directory}/disk.img`;
    writeFileSync(path, Buffer.alloc(512, "precious"));
    const record = await manage(backend, await one(backend, "disk.img"));
    rmSync(path);
    const listed = (await backend.list()).volumes.get(record.id);
    expect(listed?.location).toBe(`${backend.directory}/volume-${record.id}.raw`);
    writeFileSync(path, "somebody else's");
    await expect(backend.change(unmanageOf(backend, record.id))).rejects.toThrow(/another file has taken/);
    await expect(backend.change(unmanageOf(backend, record.id))).rejects.toThrow();
    rmSync(path);
    await backend.change(unmanageOf(backend, record.id));
    expect(readFileSync(path).equals(Buffer.alloc(512, "precious"))).toBe(true);
    expect(backend.leftBehind()).toEqual(["disk.img"]);
  });

  test("deleting does not touch a file that has taken its first name", async () => {
    const backend = await FileBackend.open();
    const path = `${backend.directory}/disk.img`;
    writeFileSync(path, Buffer.alloc(512));
    const record = await manage(backend, await one(backend, "disk.img"));
    rmSync(path);
    writeFileSync(path, "somebody else's");
    await backend.delete(record);
    expect(backend.leftBehind()).toEqual(["disk.img"]);
    expect(readFileSync(path, "utf8")).toBe("somebody else's");
  });

  test("deleting is refused while somebody has it open, or another image stands on it", async (context) => {
    needs("qcow2", context);
    const backend = await FileBackend.open({ format: "qcow2" });
    const path = `${backend.directory}/disk.img`;
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", path, "1M"]);
    const record = await manage(backend, await one(backend, "disk.img"));
    const descriptor = openSync(path, "r");
    try {
      await expect(backend.delete(record)).rejects.toMatchObject({
        kind: "VolumeIsBusy",
        reason: expect.stringContaining(`in use by process ${process.pid}`),
      });
    } finally {
      closeSync(descriptor);
    }
    const overlay = `${backend.directory}/overlay.img`;
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", "disk.img", "-F", "qcow2", overlay]);
    await expect(backend.delete(record)).rejects.toMatchObject({
      kind: "VolumeIsBusy",
      reason: expect.stringContaining("backing file of overlay.img"),
    });
    expect(lstatSync(path).nlink).toBe(2);
    rmSync(overlay);
    await backend.delete(record);
    expect(backend.leftBehind()).toEqual([]);
  });

  test("giving back is refused while it is attached, and of what breezeblock made", async () => {
    const backend = await FileBackend.open();
    const path = `${backend.directory}/disk.img`;
    writeFileSync(path, Buffer.alloc(512));
    const record = await manage(backend, await one(backend, "disk.img"));
    linkSync(path, `${backend.directory}/third-name.img`);
    expect([...(await foreign(backend)).keys()]).toEqual([]);
    const attached = await backend.attach(record, newAttachment());
    await expect(backend.change(unmanageOf(backend, attached.id))).rejects.toMatchObject({
      kind: "VolumeIsBusy",
    });
    const made = await backend.create({ name: "made" });
    await expect(backend.change(unmanageOf(backend, made.id))).rejects.toMatchObject({
      kind: "NotSupported",
    });
  });
});
