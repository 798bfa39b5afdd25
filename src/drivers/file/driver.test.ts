import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { findCommand } from "../../../test/support/commands.ts";
import {
  FileBackend,
  mebibyte,
  needs,
  newAttachment,
  newSnapshot,
  newVolume,
} from "../../../test/support/file-backend.ts";
import { LocalExecutor } from "../../../test/support/local-executor.ts";
import type { VolumeRecord } from "../../contract/index.ts";

/** Writes into a volume's content at an offset, as its user would. */
function write(path: string, offset: number, text: string): void {
  if (path.endsWith(".qcow2")) {
    const sector = `${path}.sector`;
    writeFileSync(sector, text.padEnd(512, "\0"));
    runTool("qemu-io", ["-f", "qcow2", "-c", `write -s ${sector} ${offset} 512`, path]);
    rmSync(sector);
    return;
  }
  const file = openSync(path, "r+");
  writeSync(file, text, offset);
  closeSync(file);
}

function runTool(tool: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${tool}: ${stdout}${stderr}`);
}

/** A volume's whole content, as its user sees it. */
function content(path: string): Buffer {
  if (!path.endsWith(".qcow2")) return readFileSync(path);
  const flat = `${path}.flat`;
  runTool("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, flat]);
  const bytes = readFileSync(flat);
  rmSync(flat);
  return bytes;
}

const zeros = (bytes: number) => Buffer.alloc(bytes);
const at = (bytes: Buffer, offset: number, text: string) =>
  bytes.toString("latin1", offset, offset + text.length);

// Each change is a few processes and waits for the disk.
vi.setConfig({ testTimeout: 60_000 });

describe.each(["raw", "qcow2"] as const)("%s files", (format) => {
  beforeEach((context) => needs(format, context));

  const open = () => FileBackend.open({ format });

  test("CRE-1, CRE-2: a new volume has its size, reads as zeros and is listed as it was asked for", async () => {
    const backend = await open();
    const asked = newVolume({ name: "db", labels: { tier: "gold" }, settings: { a: [1, null, "x"] } });
    const made = await backend.create(asked);
    expect(content(made.location).equals(zeros(asked.sizeBytes))).toBe(true);
    const { volumes, damaged } = await backend.list();
    expect(damaged.size).toBe(0);
    expect(volumes.get(asked.id)).toEqual({
      ...asked,
      pool: "default",
      formatted: false,
      phase: "unacknowledged",
      attachments: [],
      location: `${backend.directory}/volume-${asked.id}.${format}`,
    });
    expect(volumes.get(asked.id)).toEqual(made);
  });

  test("CRE-1: creating the same id again returns the volume, with another size it is refused", async () => {
    const backend = await open();
    const made = await backend.create();
    write(made.location, 0, "precious");
    expect(await backend.create({ id: made.id })).toEqual(made);
    await expect(backend.create({ id: made.id, sizeBytes: 8 * mebibyte })).rejects.toMatchObject({
      kind: "AlreadyExists",
    });
    await expect(backend.create({ id: made.id, owner: "other" })).rejects.toMatchObject({ kind: "NotOwned" });
    expect(at(content(made.location), 0, "precious")).toBe("precious");
  });

  test("CRE-1: a reservation that a killed create left is finished, or deleted", async () => {
    const backend = await open();
    const model = await backend.create();
    const asked = newVolume();
    const line = readFileSync(`${backend.directory}/volume-${model.id}.json`, "utf8");
    const reservation = line.replaceAll(model.id, asked.id).replace('"unacknowledged"', '"creating"');
    writeFileSync(`${backend.directory}/volume-${asked.id}.json`, reservation);
    const reserved = (await backend.list()).volumes.get(asked.id);
    expect(reserved).toMatchObject({ phase: "creating", sizeBytes: asked.sizeBytes });
    for (const use of [
      (volume: VolumeRecord) => backend.attach(volume),
      (volume: VolumeRecord) => backend.clone(volume),
      (volume: VolumeRecord) => backend.extend(volume, 8 * mebibyte),
    ]) {
      if (reserved !== undefined) await expect(use(reserved)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    }
    const made = await backend.create(asked);
    expect((await backend.list()).volumes.get(asked.id)).toEqual(made);
    expect(content(made.location).length).toBe(asked.sizeBytes);
    writeFileSync(`${backend.directory}/volume-${asked.id}.json`, reservation);
    await backend.delete(made);
    await backend.delete(model);
    expect(backend.leftBehind()).toEqual([]);
  });

  test("CRE-1: creating one volume takes one command beside the listing", async () => {
    const backend = await open();
    const before = backend.executor.commands;
    await backend.create();
    expect(backend.executor.commands - before).toBe(2);
  });

  test("DEL-1: deleting leaves nothing behind, and deleting again succeeds", async () => {
    const backend = await open();
    const volume = await backend.create();
    const snapshot = await backend.snapshot(volume);
    const copy = await backend.clone(volume);
    await backend.deleteSnapshot(snapshot);
    await backend.delete(volume);
    await backend.delete(copy);
    expect(backend.leftBehind()).toEqual([]);
    await backend.delete(volume);
    await backend.deleteSnapshot(snapshot);
  });

  test("DEL-2: a volume with attachments and snapshots is not deleted, and the refusal names them", async () => {
    const backend = await open();
    const volume = await backend.create();
    const snapshot = await backend.snapshot(volume);
    const attachment = newAttachment();
    await backend.attach(volume, attachment);
    const refusal = await backend.delete(volume).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: "VolumeIsBusy" });
    expect(String(refusal)).toContain(snapshot.id);
    expect(String(refusal)).toContain(attachment.id);
    expect(existsSync(volume.location)).toBe(true);
  });

  test("DEL-3: another owner's volume and a protected one are not deleted", async () => {
    const backend = await open();
    const volume = await backend.create({ deletionProtection: true });
    await expect(
      backend.change((context) => backend.driver.deleteVolume(volume.id, "other", context)),
    ).rejects.toMatchObject({ kind: "NotOwned" });
    await expect(backend.delete(volume)).rejects.toMatchObject({ kind: "DeletionProtected" });
    expect((await backend.list()).volumes.get(volume.id)).toEqual(volume);
  });

  test("EXT-1, EXT-2, CRE-2: growing keeps the content and adds zeros; never shrinks; same size succeeds", async () => {
    const backend = await open();
    const volume = await backend.create({ sizeBytes: mebibyte });
    write(volume.location, mebibyte - 512, "end");
    const grown = await backend.extend(volume, 3 * mebibyte);
    expect(grown.sizeBytes).toBe(3 * mebibyte);
    const bytes = content(volume.location);
    expect(bytes.length).toBe(3 * mebibyte);
    expect(at(bytes, mebibyte - 512, "end")).toBe("end");
    expect(bytes.subarray(mebibyte).equals(zeros(2 * mebibyte))).toBe(true);
    expect(await backend.extend(grown, 3 * mebibyte)).toEqual(grown);
    await expect(backend.extend(grown, mebibyte)).rejects.toMatchObject({ kind: "InvalidInput" });
    expect((await backend.list()).volumes.get(volume.id)?.sizeBytes).toBe(3 * mebibyte);
  });

  test("SNP-1, CFS-1: a snapshot keeps its moment, and a larger volume comes out of it", async () => {
    const backend = await open();
    const volume = await backend.create({ sizeBytes: mebibyte });
    write(volume.location, 4096, "before");
    const snapshot = await backend.snapshot(volume);
    expect(snapshot.sizeBytes).toBe(mebibyte);
    write(volume.location, 4096, "after!");
    const restored = await backend.fromSnapshot(snapshot, { sizeBytes: 2 * mebibyte });
    expect(restored.source).toEqual({ kind: "snapshot", id: snapshot.id });
    const bytes = content(restored.location);
    expect(at(bytes, 4096, "before")).toBe("before");
    expect(bytes.length).toBe(2 * mebibyte);
    expect(bytes.subarray(mebibyte).equals(zeros(mebibyte))).toBe(true);
    write(restored.location, 4096, "others");
    expect(at(content(snapshot.location), 4096, "before")).toBe("before");
    expect(at(content(volume.location), 4096, "after!")).toBe("after!");
    const { volumes, snapshots } = await backend.list();
    expect(volumes.get(restored.id)).toEqual(restored);
    expect(snapshots.get(snapshot.id)).toEqual(snapshot);
  });

  test("CLN-1: a clone has the content and then a life of its own; smaller than its source is refused", async () => {
    const backend = await open();
    const volume = await backend.create({ sizeBytes: mebibyte });
    write(volume.location, 0, "original");
    const copy = await backend.clone(volume);
    write(copy.location, 0, "changed!");
    expect(at(content(volume.location), 0, "original")).toBe("original");
    await backend.delete(volume);
    expect(at(content(copy.location), 0, "changed!")).toBe("changed!");
    await expect(backend.clone(copy, { sizeBytes: 512 })).rejects.toMatchObject({ kind: "InvalidInput" });
  });

  test("CRE-1: disk space is taken only for what was written, in copies too", async () => {
    const backend = await open();
    const volume = await backend.create({ sizeBytes: 1024 * mebibyte });
    write(volume.location, 512 * mebibyte, "x");
    const copy = await backend.clone(volume);
    for (const { location } of [volume, copy]) expect(statSync(location).blocks * 512).toBeLessThan(mebibyte);
  });
});

test.for([["dash"], ["bash", "--posix"]])("the whole life of a volume in %s", async (shell, { skip }) => {
  skip(findCommand(shell[0] ?? "") === undefined, `left out: ${shell[0]} is not installed`);
  const backend = await FileBackend.open({ executor: new LocalExecutor({ shell }) });
  await backend.driver.checkForSetupError(backend);
  const volume = await backend.create({ labels: { text: "\\n \\\\ 'ä' \n" } });
  await backend.attach(await backend.extend(volume, 8 * mebibyte), { mode: "ro" });
  const snapshot = await backend.snapshot(volume);
  const copy = await backend.fromSnapshot(snapshot);
  await backend.change((context) => backend.driver.acknowledge([volume.id, copy.id], context));
  const { volumes } = await backend.list();
  expect(volumes.get(volume.id)).toMatchObject({ phase: "acknowledged", labels: volume.labels });
  await expect(backend.delete(volume)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
  await backend.deleteSnapshot(snapshot);
  await backend.delete(copy);
});

describe("attachments", () => {
  test("ATT-1: an attachment is recorded, replaced under its id, and removed; gone already is success", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    const attachment = newAttachment();
    expect((await backend.attach(volume, attachment)).attachments).toEqual([attachment]);
    const readOnly = { ...attachment, mode: "ro" as const };
    expect((await backend.attach(volume, readOnly)).attachments).toEqual([readOnly]);
    expect((await backend.list()).volumes.get(volume.id)?.attachments).toEqual([readOnly]);
    const taken = { ...readOnly, run: "00a1b2c3d4e5f607" };
    expect((await backend.attach(volume, taken)).attachments).toEqual([taken]);
    expect((await backend.list()).volumes.get(volume.id)?.attachments).toEqual([taken]);
    for (const _ of ["there", "gone already"]) {
      const detached = await backend.change((context) =>
        backend.driver.detachVolume(volume, attachment.id, context),
      );
      expect(detached.attachments).toEqual([]);
    }
    await backend.delete(volume);
  });

  test("ATT-1: a second attachment needs multiattach, and the refusal names the first", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    const first = newAttachment({ phase: "acknowledged" });
    await backend.attach(volume, first);
    const other = { connector: { host: "web2" } };
    await expect(backend.attach(volume, other)).rejects.toThrow(first.id);
    await expect(backend.attach(volume)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    await backend.change((context) => backend.driver.updateVolume(volume, { multiattach: true }, context));
    expect((await backend.attach(volume, other)).attachments).toHaveLength(2);
    await expect(
      backend.change((context) => backend.driver.updateVolume(volume, { multiattach: false }, context)),
    ).rejects.toMatchObject({ kind: "VolumeIsBusy" });
  });

  test("ATT-1: what a killed run attached for the same consumer is taken over", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    await backend.attach(volume);
    const again = newAttachment();
    expect((await backend.attach(volume, again)).attachments).toEqual([again]);
  });
});

test("many changes under one lock need one listing, also when the caller keeps an inventory of its own", async () => {
  const backend = await FileBackend.open();
  const gone = await backend.create();
  rmSync(gone.location);
  await backend.change(async ({ executor, fresh }) => {
    const { driver } = backend;
    const context = { executor, fresh: { ...fresh, volumes: new Map(fresh.volumes) } };
    const before = backend.executor.commands;
    const asked = newVolume({ provisioning: "thick" });
    await driver.createVolume(asked, context);
    const creation = await driver.createVolume(asked, context);
    if (creation.state !== "ready") throw new Error("not ready");
    const extension = await driver.extendVolume(creation.record, 8 * mebibyte, context);
    if (extension.state !== "ready") throw new Error("not ready");
    const grown = extension.record;
    const attachment = newAttachment({ mode: "ro" });
    await driver.attachVolume(grown, attachment, context);
    const snapshot = newSnapshot(grown);
    const copying = await driver.createSnapshot(snapshot, grown, context);
    expect(copying.state).toBe("working");
    await driver.acknowledge([asked.id, attachment.id], context);
    await expect(driver.deleteVolume(asked.id, asked.owner, context)).rejects.toThrow(snapshot.id);
    await driver.deleteSnapshot(snapshot.id, snapshot.owner, context);
    const detached = await driver.detachVolume(grown, attachment.id, context);
    expect(detached).toMatchObject({ phase: "acknowledged", sizeBytes: 8 * mebibyte, attachments: [] });
    expect(await driver.updateVolume(grown, { name: "new" }, context)).toEqual({ ...detached, name: "new" });
    await driver.deleteVolume(asked.id, asked.owner, context);
    await driver.deleteVolume(asked.id, asked.owner, context);
    expect(backend.executor.commands - before).toBe(9);
  });
  expect(backend.leftBehind()).toEqual([]);
});

test("EXT-1: a volume whose metadata somebody has laid out anew grows, and changes again under the same lock", async () => {
  const backend = await FileBackend.open();
  const volume = await backend.create();
  const path = `${backend.directory}/volume-${volume.id}.json`;
  writeFileSync(path, ` ${readFileSync(path, "utf8")}`);
  await backend.change(async (context) => {
    const extension = await backend.driver.extendVolume(volume, 8 * mebibyte, context);
    if (extension.state !== "ready") throw new Error("not ready");
    await backend.driver.updateVolume(extension.record, { name: "new" }, context);
  });
  expect((await backend.list()).volumes.get(volume.id)).toMatchObject({
    name: "new",
    sizeBytes: 8 * mebibyte,
  });
});

describe("what cannot be", () => {
  test.each([
    ["an id that is no UUID", { id: "../../etc/passwd" }, "InvalidInput"],
    ["no size", { sizeBytes: 0 }, "InvalidInput"],
    ["a fraction of a byte", { sizeBytes: 1.5 }, "InvalidInput"],
    ["a negative size", { sizeBytes: -4096 }, "InvalidInput"],
    ["a size beyond exact numbers", { sizeBytes: 2 ** 53 }, "InvalidInput"],
    ["a size that no file system has", { sizeBytes: 2 ** 53 - 1 }, "VolumeBackendError"],
    ["a pool that is not there", { pool: "fast" }, "InvalidInput"],
    ["more labels than metadata holds", { labels: { long: "x".repeat(300_000) } }, "InvalidInput"],
  ])("CRE-1: %s is refused, and nothing is left", async (_, volume, kind) => {
    const backend = await FileBackend.open();
    await expect(backend.create(volume)).rejects.toMatchObject({ kind });
    expect(backend.leftBehind()).toEqual([]);
  });

  test("CRE-1: thick qcow2 volumes are refused", async (context) => {
    needs("qcow2", context);
    const backend = await FileBackend.open({ format: "qcow2" });
    await expect(backend.create({ provisioning: "thick" })).rejects.toMatchObject({ kind: "NotSupported" });
  });

  test("EXT-1: a qcow2 volume does not grow while it is attached", async (context) => {
    needs("qcow2", context);
    const backend = await FileBackend.open({ format: "qcow2" });
    const volume = await backend.create();
    await backend.attach(volume, { mode: "ro" });
    await expect(backend.extend(volume, 8 * mebibyte)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
  });

  test("CLN-1, CFS-1: a source that is not there is named as not found", async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create();
    const snapshot = await backend.snapshot(volume);
    await backend.deleteSnapshot(snapshot);
    await backend.delete(volume);
    await expect(backend.clone(volume)).rejects.toMatchObject({ kind: "VolumeNotFound" });
    await expect(backend.snapshot(volume)).rejects.toMatchObject({ kind: "VolumeNotFound" });
    await expect(backend.fromSnapshot(snapshot)).rejects.toMatchObject({ kind: "SnapshotNotFound" });
    expect(backend.leftBehind()).toEqual([]);
  });
});

describe("metadata", () => {
  const hostile = {
    "": "",
    "new\nline": "a\r\nb\u2028\u0000\u0007",
    'quote"\\': "$(reboot) `id` ' ; rm -rf / #",
    emoji: "🧱\ud800 lone",
    __proto__x: "y",
    "{}": '","phase":"creating","',
    ünï: "\u007f\u0080\uffff",
  };

  test("labels, names, owners and settings of any text come back exactly", async () => {
    const backend = await FileBackend.open();
    const labels = JSON.parse(`{"__proto__": "z"}`);
    const asked = newVolume({
      name: "böse\n$(x)",
      owner: "ämne/\u0000\n",
      labels: { ...hostile, ...labels },
      defaultLabels: hostile,
      settings: { nested: { phase: "creating", list: [hostile] } },
    });
    const made = await backend.create(asked);
    const snapshot = await backend.snapshot(made, { labels: hostile });
    const { volumes, snapshots } = await backend.list();
    expect(volumes.get(asked.id)).toEqual(made);
    expect(made.labels).toEqual(asked.labels);
    expect(Object.keys(volumes.get(asked.id)?.labels ?? {})).toContain("__proto__");
    expect(snapshots.get(snapshot.id)?.labels).toEqual(hostile);
    const text = readFileSync(`${backend.directory}/volume-${made.id}.json`, "latin1");
    expect(text).toMatch(/^[\x20-\x7e]+\n$/);
  });

  test("updates change what is given and keep the rest, a newer version's fields too", async () => {
    const backend = await FileBackend.open();
    const made = await backend.create({ labels: { a: "1" } });
    const path = `${backend.directory}/volume-${made.id}.json`;
    const stored = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...stored, future: { x: 1 } }, null, 2));
    const updated = await backend.change((context) =>
      backend.driver.updateVolume(made, { name: "other", labels: { b: "2" }, phase: "retained" }, context),
    );
    expect(updated).toEqual({ ...made, name: "other", labels: { b: "2" }, phase: "retained" });
    expect((await backend.list()).volumes.get(made.id)).toEqual(updated);
    expect(JSON.parse(readFileSync(path, "utf8")).future).toEqual({ x: 1 });
  });

  test("a snapshot's metadata changes in place", async () => {
    const backend = await FileBackend.open();
    const snapshot = await backend.snapshot(await backend.create());
    const updated = await backend.change((context) =>
      backend.driver.updateSnapshot(snapshot, { deletionProtection: true, name: "kept" }, context),
    );
    expect((await backend.list()).snapshots.get(snapshot.id)).toEqual(updated);
    await expect(backend.deleteSnapshot(updated)).rejects.toMatchObject({ kind: "DeletionProtected" });
  });

  test("volumes, snapshots and attachments are acknowledged with one command; unknown ids are passed over", async () => {
    const backend = await FileBackend.open();
    const volumes = await Promise.all([1, 2, 3].map(() => backend.create()));
    const [first] = volumes;
    if (first === undefined) throw new Error("no volume");
    const attachment = newAttachment();
    const snapshot = await backend.snapshot(first);
    await backend.attach(first, attachment);
    await backend.change(async (context) => {
      const before = backend.executor.commands;
      const ids = [...volumes.map(({ id }) => id), snapshot.id, attachment.id, randomUUID()];
      await backend.driver.acknowledge(ids, context);
      expect(backend.executor.commands - before).toBe(1);
    });
    const listed = await backend.list();
    const phases = [...listed.volumes.values(), ...listed.snapshots.values()].map(({ phase }) => phase);
    expect(phases).toEqual(["acknowledged", "acknowledged", "acknowledged", "acknowledged"]);
    expect(listed.volumes.get(first.id)?.attachments[0]?.phase).toBe("acknowledged");
  });

  test("more metadata than one command under a lock can be given is acknowledged with several", async () => {
    const backend = await FileBackend.open();
    const labels = { long: "x".repeat(240_000) };
    const volumes = await Promise.all(Array.from({ length: 9 }, () => backend.create({ labels })));
    await backend.change(async (context) => {
      const before = backend.executor.commands;
      const ids = volumes.map(({ id }) => id);
      await backend.driver.acknowledge(ids, context);
      expect(backend.executor.commands - before).toBe(2);
    });
    const phases = [...(await backend.list()).volumes.values()].map(({ phase }) => phase);
    expect(new Set(phases)).toEqual(new Set(["acknowledged"]));
  });
});

describe("copies under way", () => {
  // The file system of the tests' directory may have reflinks; a thick source never uses them.
  const copying = async () => {
    const backend = await FileBackend.open();
    const volume = await backend.create({ provisioning: "thick", sizeBytes: mebibyte });
    write(volume.location, 0, "content");
    return { backend, volume };
  };

  test("SNP-1: while a copy reads a volume, it cannot be attached for writing, grown or deleted", async () => {
    const { backend, volume } = await copying();
    const asked = newSnapshot(volume);
    const creation = await backend.change((context) => backend.driver.createSnapshot(asked, volume, context));
    expect(creation.state).toBe("working");
    expect((await backend.list()).snapshots.get(asked.id)?.phase).toBe("creating");
    for (const attempt of [
      () => backend.attach(volume),
      () => backend.extend(volume, 2 * mebibyte),
      () => backend.delete(volume),
    ]) {
      await expect(attempt()).rejects.toThrow(asked.id);
    }
    expect((await backend.attach(volume, { mode: "ro" })).attachments).toHaveLength(1);
    if (creation.state !== "working") return;
    expect(backend.driver.jobsOf(asked.id)).toContainEqual({
      id: creation.job.id,
      directory: creation.job.directory,
    });
    await backend.runJob(creation);
    const snapshot = await backend.change((context) => backend.driver.completeSnapshot(asked.id, context));
    expect(at(content(snapshot.location), 0, "content")).toBe("content");
    expect(await backend.change((context) => backend.driver.completeSnapshot(asked.id, context))).toEqual(
      snapshot,
    );
  });

  test("SNP-1: a volume that somebody may be writing to is not copied", async () => {
    const { backend, volume } = await copying();
    const attachment = newAttachment();
    await backend.attach(volume, attachment);
    for (const attempt of [() => backend.snapshot(volume), () => backend.clone(volume)]) {
      const refusal = await attempt().catch((error: unknown) => error);
      expect(refusal).toMatchObject({ kind: "VolumeIsBusy" });
      expect(String(refusal)).toContain(attachment.id);
    }
    expect(backend.leftBehind()).toHaveLength(2);
  });

  test("CLN-1: a killed copy is taken up again, and its record can be deleted with what was made", async () => {
    const { backend, volume } = await copying();
    const asked = newVolume({ sizeBytes: mebibyte, source: { kind: "volume", id: volume.id } });
    const begin = () =>
      backend.change((context) => backend.driver.createClonedVolume(asked, volume, context));
    const first = await begin();
    expect(await begin()).toEqual(first);
    if (first.state !== "working") throw new Error("copied at once");
    const relabelled = { ...asked, name: "new", labels: { round: "2" } };
    const again = await backend.change((context) =>
      backend.driver.createClonedVolume(relabelled, volume, context),
    );
    expect(again).toEqual(first);
    expect((await backend.list()).volumes.get(asked.id)).toMatchObject({ name: "new", phase: "creating" });
    await backend.runJob(first);
    const made = await backend.change((context) => backend.driver.completeVolume(asked.id, context));
    expect(made).toMatchObject({ name: "new", labels: { round: "2" }, phase: "unacknowledged" });
    expect((await backend.list()).volumes.get(asked.id)).toEqual(made);
    await backend.delete(made);
    await begin();
    await backend.runJob(first);
    await backend.change((context) => backend.driver.deleteVolume(asked.id, asked.owner, context));
    await expect(backend.runJob(first)).rejects.toThrow("was removed");
    await backend.delete(volume);
    expect(backend.leftBehind()).toEqual([]);
  });

  test("SNP-2: a snapshot that is being copied is not deleted", async () => {
    const { backend, volume } = await copying();
    const snapshot = await backend.snapshot(volume);
    const asked = newVolume({
      sizeBytes: mebibyte,
      provisioning: "thick",
      source: { kind: "snapshot", id: snapshot.id },
    });
    await backend.change((context) => backend.driver.createVolumeFromSnapshot(asked, snapshot, context));
    await expect(backend.deleteSnapshot(snapshot)).rejects.toMatchObject({ kind: "SnapshotIsBusy" });
  });

  test("CRE-1: thick volumes, grown ones and their copies have all their room", async () => {
    const { backend, volume } = await copying();
    const room = (path: string) => statSync(path).blocks * 512;
    expect(room(volume.location)).toBeGreaterThanOrEqual(mebibyte);
    const copy = await backend.clone(volume, { provisioning: "thick", sizeBytes: 2 * mebibyte });
    expect(room(copy.location)).toBeGreaterThanOrEqual(2 * mebibyte);
    await backend.extend(copy, 3 * mebibyte);
    expect(room(copy.location)).toBeGreaterThanOrEqual(3 * mebibyte);
    const bytes = content(copy.location);
    expect(at(bytes, 0, "content")).toBe("content");
    expect(bytes.subarray(512).equals(zeros(3 * mebibyte - 512))).toBe(true);
  });
});
