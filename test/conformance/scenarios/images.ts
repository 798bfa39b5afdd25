import { strict as assert } from "node:assert";
import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImageSource, StorageError, type VolumeRecord } from "../../../src/contract/index.ts";
import { content } from "../device.ts";
import { refusal } from "../expect.ts";
import type { Scenario } from "../scenario.ts";
import { type Session, unit } from "../session.ts";
import type { Trial } from "../trial.ts";

const first = content("first");
const mebibyte = 1024 ** 2;
/** A disk with data, a hole and data, smaller than the volume. */
const disk = Buffer.concat([first, Buffer.alloc(2 * mebibyte - 2 * first.length), first]);

const plain = { compression: null, checksum: null } as const;

/** A file on the storage host. */
async function onHost(trial: Trial, bytes: Uint8Array): Promise<string> {
  const path = `/var/tmp/breezeblock-image-${randomUUID()}`;
  const { host } = trial.subject;
  trial.atEnd(async () => void (await host.run(["rm", "-f", "--", path])));
  const written = await host.run(["dd", `of=${path}`, "bs=1M", "status=none"], { stdin: bytes });
  assert.equal(written.exitCode, 0, written.stderr.toString());
  return path;
}

/** A file on the machine that runs the provider. */
function here(trial: Trial, bytes: Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), "breezeblock-test-"));
  trial.atEnd(async () => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "image");
  writeFileSync(path, bytes);
  return path;
}

async function qcow2OnHost(trial: Trial, from: string, ...options: string[]): Promise<string> {
  const path = await onHost(trial, Buffer.alloc(0));
  const argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", ...options, from, path];
  const made = await trial.subject.host.run(argv);
  assert.equal(made.exitCode, 0, made.stderr.toString());
  return path;
}

/** All of a volume: the disk at its beginning, zeros after it. */
async function expectDisk(trial: Trial, session: Session, volume: VolumeRecord): Promise<void> {
  await trial.withDevice(session, volume, async (device) => {
    await device.expectContent(disk);
    await device.expectZeros(disk.length, volume.sizeBytes - disk.length);
  });
}

/** A name on the storage host that nothing has, and nothing has any more at the end. */
function freeName(trial: Trial): string {
  const path = `/var/tmp/breezeblock-image-${randomUUID()}`;
  trial.atEnd(async () => void (await trial.subject.host.run(["sh", "-c", 'rm -f -- "$1"*', "sh", path])));
  return path;
}

async function outputOf(trial: Trial, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await trial.subject.host.run(argv);
  assert.equal(exitCode, 0, stderr.toString());
  return stdout.toString().trim();
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export const imageScenarios: readonly Scenario[] = [
  {
    name: "a volume is filled from a raw and from a qcow2 image, from the storage host and from here, and reads as zeros behind it",
    clauses: ["IMG-2", "CRE-2"],
    async run(trial) {
      const session = trial.session();
      const raw = await onHost(trial, disk);
      const qcow2 = await qcow2OnHost(trial, raw, "-c");
      const images: Readonly<Record<string, ImageSource>> = {
        sent: { place: "local_path", reference: here(trial, disk), format: "raw", ...plain },
        converted: { place: "path", reference: qcow2, format: "qcow2", ...plain },
      };
      const made = await Promise.all(
        Object.entries(images).map(([name, image]) => session.create({ name, image })),
      );
      for (const volume of made) {
        assert.equal(volume.phase, "unacknowledged");
        await expectDisk(trial, session, volume);
        await session.delete(volume);
        assert.deepEqual(await trial.subject.storage.traces(volume.id), []);
      }
    },
  },
  {
    name: "an image that was fetched once is cloned for the next volume, from where the backend keeps it; what is damaged there is fetched again",
    clauses: ["IMG-1"],
    async run(trial) {
      const session = trial.session({ imageCacheBytes: unit });
      const { host } = trial.subject;
      const raw = await onHost(trial, disk);
      const checksum = { algorithm: "sha256", digest: sha256(disk) } as const;
      const image: ImageSource = {
        place: "path",
        reference: raw,
        format: "raw",
        compression: null,
        checksum,
      };
      await expectDisk(trial, session, await session.create({ name: "fetched", image }));
      const { identity } = await session.backend.listing();
      const cache = session.backend.driver.imageCacheDirectory(identity ?? "");
      trial.atEnd(async () => void (await host.run(["rm", "-rf", "--", cache])));
      await outputOf(trial, "mv", "--", raw, `${raw}.away`);
      trial.atEnd(async () => void (await host.run(["rm", "-f", "--", `${raw}.away`])));
      const cloned = await session.create({ name: "cloned", image });
      await expectDisk(trial, session, cloned);
      // Volumes are independent of what they were filled from.
      await trial.withDevice(session, cloned, (device) => device.write(content("changed")));
      await expectDisk(trial, session, await session.create({ name: "next", image }));

      const damage =
        'for kept in "$1"/sha256-*; do printf damaged | dd of="$kept" conv=notrunc status=none; done';
      await outputOf(trial, "sh", "-c", damage, "sh", cache);
      await refusal(session.create({ name: "gone", image }), "InvalidInput", "no file");
      await outputOf(trial, "mv", "--", `${raw}.away`, raw);
      await expectDisk(trial, session, await session.create({ name: "again", image }));
    },
  },
  {
    name: "an image that is not what it should be leaves no volume: another checksum, a backing file, a disk that is larger",
    clauses: ["IMG-2"],
    async run(trial) {
      const session = trial.session();
      const raw = await onHost(trial, disk);
      const larger = await onHost(trial, Buffer.alloc(0));
      const backed = await onHost(trial, Buffer.alloc(0));
      for (const argv of [
        ["qemu-img", "create", "-q", "-f", "qcow2", larger, String(2 * unit)],
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", raw, backed],
      ]) {
        assert.equal((await trial.subject.host.run(argv)).exitCode, 0);
      }
      const checksum = { algorithm: "sha256", digest: "0".repeat(64) } as const;
      const refused: readonly (readonly [ImageSource, string])[] = [
        [{ place: "path", reference: raw, format: "raw", compression: null, checksum }, "checksum"],
        [{ place: "path", reference: backed, format: "qcow2", ...plain }, "backing file"],
        [{ place: "path", reference: larger, format: "qcow2", ...plain }, String(2 * unit)],
      ];
      for (const [image, words] of refused) {
        await refusal(session.create({ image }), "ImageUnacceptable", words);
      }
      const { volumes } = await trial.session().backend.listing();
      assert.deepEqual(
        [...volumes.values()].filter(({ owner }) => owner === trial.owner),
        [],
      );
    },
  },
  {
    name: "a volume that was to be filled from an image when the run ended is not ready; the next run makes it whole from what was fetched",
    clauses: ["IMG-2"],
    async run(trial) {
      const raw = await onHost(trial, disk);
      const image: ImageSource = { place: "path", reference: raw, format: "raw", ...plain };
      const dying = trial.session({
        around: {
          async beforeJob({ id }) {
            if (!id.startsWith("fill-")) return;
            throw new StorageError({ kind: "Cancelled", action: "wait for the job", reason: "stopped" });
          },
        },
      });
      await assert.rejects(dying.create({ image }));
      const session = trial.session();
      const { volumes } = await session.backend.listing();
      const left = [...volumes.values()].filter(({ owner }) => owner === trial.owner);
      assert.deepEqual(
        left.map(({ phase }) => phase),
        ["creating"],
      );
      await trial.subject.host.run(["rm", "--", raw]);
      const volume = await session.create({ image });
      assert.equal(volume.id, left[0]?.id);
      await expectDisk(trial, session, volume);
    },
  },
  {
    name: "a volume and a snapshot are copied out to images, raw and qcow2, to the storage host and to here, byte by byte; somebody who may write is in the way",
    clauses: ["IMG-3"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, disk);
      const whole = Buffer.concat([disk, Buffer.alloc(volume.sizeBytes - disk.length)]);
      const there = { place: "path", isCompressed: false } as const;
      const raw = freeName(trial);
      const made = await session.copyOut(volume, { ...there, file: raw, format: "raw" });
      assert.deepEqual(
        { sizeBytes: made.sizeBytes, sha256: made.sha256 },
        { sizeBytes: whole.length, sha256: sha256(whole) },
      );
      assert.match(await outputOf(trial, "sha256sum", raw), new RegExp(`^${made.sha256} `));
      await refusal(
        session.copyOut(volume, { ...there, file: raw, format: "raw" }),
        "AlreadyExists",
        "never written over",
      );

      const snapshot = await session.snapshot(volume);
      const used = await session.attach(volume, trial.consumer);
      await refusal(
        session.copyOut(volume, { ...there, file: freeName(trial), format: "raw" }),
        "VolumeIsBusy",
        used.attachment.id,
      );
      const qcow2 = freeName(trial);
      await session.copyOut(snapshot, { ...there, file: qcow2, format: "qcow2" }, "snapshot");
      const back = freeName(trial);
      await outputOf(trial, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", qcow2, back);
      assert.match(await outputOf(trial, "sha256sum", back), new RegExp(`^${sha256(whole)} `));
      await session.detach(used);

      const file = `${here(trial, Buffer.alloc(0))}.out`;
      await session.copyOut(volume, { place: "local_path", isCompressed: false, file, format: "raw" });
      assert.ok(readFileSync(file).equals(whole));
      await session.deleteSnapshot(snapshot);
      await session.delete(volume);
      assert.deepEqual(await trial.subject.storage.traces(volume.id), []);
    },
  },
  {
    name: "a run ended while it copied a volume out: the next one ends the same copy, or whatever the copy stands in the way of removes it",
    clauses: ["IMG-3"],
    async run(trial) {
      const volume = await trial.written(trial.session(), disk);
      const stop = ({ id }: { readonly id: string }): void => {
        if (!id.startsWith("image-")) return;
        throw new StorageError({ kind: "Cancelled", action: "wait for the job", reason: "stopped" });
      };
      const destination = { place: "path", isCompressed: false, format: "raw" } as const;
      const first = { ...destination, file: freeName(trial) };
      await assert.rejects(trial.session({ around: { onJobBegun: stop } }).copyOut(volume, first));
      const made = await trial.session().copyOut(volume, first);
      assert.match(await outputOf(trial, "sha256sum", first.file), new RegExp(`^${made.sha256} `));

      const stopped = trial.session({ around: { beforeJob: async (job) => stop(job) } });
      await assert.rejects(stopped.copyOut(volume, { ...destination, file: freeName(trial) }));
      const session = trial.session();
      await session.delete(volume);
      assert.deepEqual(await trial.subject.storage.traces(volume.id), []);
    },
  },
];
