import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type Backend,
  createGroupSnapshot,
  createSnapshot,
  createVolume,
  groupSnapshotsIn,
  HalfMadeError,
  updateGroupSnapshot,
  type VolumeRequest,
} from "../src/backend/index.ts";
import {
  type ImageSource,
  isStorageError,
  type JobResult,
  type JobSpec,
  StorageError,
} from "../src/contract/index.ts";
import { LocalHost, localBackend, plainRequest } from "./support/backend.ts";
import { mebibyte } from "./support/file-backend.ts";
import { tempDirectory } from "./support/temp-directory.ts";

/** Two runs of one configuration at once: the second takes the first one for killed, and goes on with what that began. */

const create = (backend: Backend, changes: Partial<VolumeRequest> = {}) =>
  createVolume(backend, { ...plainRequest, ...changes }, undefined);

/** A moment in one run at which the other one goes on; the first waits there until `goOn`. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    goOn: () => open.resolve(),
    wait: async () => {
      reached.resolve();
      await open.promise;
    },
  };
}

/** A host whose run stops for a while at its job of that purpose. */
class SlowHost extends LocalHost {
  readonly before = gate();
  readonly after = gate();
  /** In place of how the job ends. */
  outcome: ((job: JobSpec) => JobResult) | undefined;
  readonly #purpose: string;

  constructor(purpose: string) {
    super();
    this.#purpose = purpose;
  }

  override async runJob(job: JobSpec): Promise<JobResult> {
    if (!job.id.startsWith(`${this.#purpose}-`)) return super.runJob(job);
    await this.before.wait();
    const result = await super.runJob(job);
    await this.after.wait();
    return this.outcome?.(job) ?? result;
  }
}

const failed = (): JobResult => ({
  exitCode: 1,
  stdout: Buffer.alloc(0),
  stderr: Buffer.from("the disk is broken"),
});

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

function expectTakenOver(error: unknown, id: string, kind = "volume"): void {
  expect(error).not.toBeInstanceOf(HalfMadeError);
  if (!isStorageError(error, kind === "volume" ? "VolumeIsBusy" : "SnapshotIsBusy")) throw error;
  expect(error).toMatchObject({ backend: "demo", host: "here" });
  expect(error.reason).toContain(`Another run has taken over the making of ${kind} ${id}`);
  expect(error.nextStep).toContain("run again");
}

function contentOf(directory: string, id: string, kind = "volume"): Buffer {
  return readFileSync(join(directory, `${kind}-${id}.raw`));
}

/** What lies about besides whole objects. */
function leftBehind(directory: string): readonly string[] {
  return ["creating", "images"].flatMap((name) => {
    try {
      return readdirSync(join(directory, ".breezeblock", name));
    } catch {
      return [];
    }
  });
}

async function source(directory: string) {
  const { backend } = localBackend({ directory });
  const made = await create(backend, { name: "source" });
  const content = randomBytes(made.sizeBytes);
  writeFileSync(join(directory, `volume-${made.id}.raw`), content);
  return { made, content, from: { kind: "volume", id: made.id } as const };
}

describe("a clone that two runs make at once", () => {
  test.each([
    ["has failed", failed],
    ["has ended well", undefined],
  ])("is the second one's when the job of the first %s", async (_, outcome) => {
    const directory = tempDirectory();
    const { content, from } = await source(directory);
    const host = new SlowHost("copy");
    host.outcome = outcome;
    const first = refusal(create(localBackend({ directory, host }).backend, { source: from }));
    await host.before.reached;
    const second = localBackend({ directory });
    const made = await create(second.backend, { source: from });
    host.before.goOn();
    host.after.goOn();
    expectTakenOver(await first, made.id);
    expect(contentOf(directory, made.id)).toEqual(content);
    expect((await localBackend({ directory }).backend.listing()).volumes.get(made.id)?.phase).toBe(
      "unacknowledged",
    );
  });

  test("is not finished by the first while the second is at it", async () => {
    const directory = tempDirectory();
    const { content, from } = await source(directory);
    const [host, later] = [new SlowHost("copy"), new SlowHost("copy")];
    const first = refusal(create(localBackend({ directory, host }).backend, { source: from }));
    await host.before.reached;
    const second = create(localBackend({ directory, host: later }).backend, { source: from });
    await later.before.reached;
    host.before.goOn();
    host.after.goOn();
    const refused = await first;
    later.before.goOn();
    later.after.goOn();
    const made = await second;
    expectTakenOver(refused, made.id);
    expect(contentOf(directory, made.id)).toEqual(content);
  });

  test("of which the second has failed and left nothing is refused to the first as well", async () => {
    const directory = tempDirectory();
    const { from } = await source(directory);
    const [host, later] = [new SlowHost("copy"), new SlowHost("copy")];
    const first = refusal(create(localBackend({ directory, host }).backend, { source: from }));
    await host.before.reached;
    later.outcome = failed;
    later.before.goOn();
    later.after.goOn();
    const second = await refusal(create(localBackend({ directory, host: later }).backend, { source: from }));
    expect(second).toMatchObject({ kind: "VolumeBackendError" });
    host.before.goOn();
    host.after.goOn();
    const error = await first;
    if (!isStorageError(error, "VolumeIsBusy")) throw error;
    expect(error.reason).toMatch(/is gone: another run has removed it/);
    expect((await localBackend({ directory }).backend.listing()).volumes.size).toBe(1);
  });
});

test("a clone that a version without runs in its records has begun is taken over", async () => {
  const directory = tempDirectory();
  const { content, from } = await source(directory);
  const host = new LocalHost();
  host.runJob = async () => {
    throw new StorageError({ kind: "Cancelled", action: "wait", reason: "stopped on request" });
  };
  const error = await refusal(create(localBackend({ directory, host }).backend, { source: from }));
  if (!(error instanceof HalfMadeError)) throw error;
  const sidecar = join(directory, `volume-${error.uuid}.json`);
  const { settings: _, ...others } = JSON.parse(readFileSync(sidecar, "utf8"));
  writeFileSync(sidecar, `${JSON.stringify({ ...others, settings: {} })}\n`);
  const made = await create(localBackend({ directory }).backend, { source: from });
  expect(made.id).toBe(error.uuid);
  expect(contentOf(directory, made.id)).toEqual(content);
});

test("a snapshot that two runs take at once by copying is the second one's", async () => {
  const directory = tempDirectory();
  const { made: volume } = await source(directory);
  const take = (backend: Backend) =>
    createSnapshot(
      backend,
      {
        ...{ volumeId: volume.id, name: "before", labels: {}, defaultLabels: {} },
        ...{ deletionProtection: false, settings: {} },
      },
      undefined,
    );
  const host = new SlowHost("copy");
  host.outcome = failed;
  const first = refusal(take(localBackend({ directory, host }).backend));
  const outcome = await Promise.race([first, host.before.reached]);
  // Where the file system has reflinks, no job copies, and nobody can come in between.
  if (outcome !== undefined) throw outcome;
  const made = await take(localBackend({ directory }).backend);
  host.before.goOn();
  host.after.goOn();
  const error = await first;
  if (error !== undefined) expectTakenOver(error, made.id, "snapshot");
  expect((await localBackend({ directory }).backend.listing()).snapshots.get(made.id)).toBeDefined();
});

describe("a group snapshot that two runs take at once", () => {
  /** Two volumes, of which each run takes a group snapshot. */
  async function ground() {
    const directory = tempDirectory();
    const { backend } = localBackend({ directory });
    const volumes = [await create(backend, { name: "data" }), await create(backend, { name: "log" })];
    const group = {
      ...{ name: "before", volumeIds: volumes.map(({ id }) => id), labels: {}, defaultLabels: {} },
      ...{ deletionProtection: false, settings: {} },
    };
    return { directory, group, take: (run: Backend) => createGroupSnapshot(run, group, undefined) };
  }

  const groupsOf = async (directory: string) => [
    ...groupSnapshotsIn(await localBackend({ directory }).backend.listing()).values(),
  ];

  /** Snapshots are whole at once, as with reflinks or on LVM, whatever the file system of the tests can do. */
  function atOnce({ driver, host }: Backend, afterwards: (made: number) => void = () => undefined): void {
    const begin = driver.createSnapshot.bind(driver);
    let made = 0;
    driver.createSnapshot = async (snapshot, volume, context) => {
      const work = await begin(snapshot, volume, context);
      if (work.state === "working") await host.runJob(work.job);
      const record =
        work.state === "ready" ? work.record : await driver.completeSnapshot(snapshot.id, context);
      made += 1;
      afterwards(made);
      return { state: "ready", record };
    };
  }

  /** Stops a run before it takes the lock for that time. */
  function stopBefore(host: LocalHost, holding: number) {
    const stop = gate();
    const withLock = host.withLock.bind(host);
    let count = 0;
    host.withLock = async (...args) => {
      count += 1;
      if (count === holding) await stop.wait();
      return withLock(...args) as never;
    };
    return stop;
  }

  const broken = () =>
    new StorageError({ kind: "VolumeBackendError", action: "take a snapshot", reason: "the disk is broken" });

  test("is the second one's, whole, when the first fails after it", async () => {
    const { directory, take } = await ground();
    const host = new LocalHost();
    const run = localBackend({ directory, host }).backend;
    atOnce(run, (made) => {
      if (made === 2) throw broken();
    });
    // Looks for what is left, takes the snapshots, removes them.
    const removing = stopBefore(host, 3);
    const first = refusal(take(run));
    await removing.reached;
    const made = await take(localBackend({ directory }).backend);
    removing.goOn();
    const error = await first;
    expect(await groupsOf(directory)).toMatchObject([{ id: made.id, isWhole: true }]);
    expectTakenOver(error, made.id, "group snapshot");
    expect(String(error)).toContain("the disk is broken");
  });

  test("is the second one's though that came no further than a part of it", async () => {
    const { directory, take } = await ground();
    const [host, later] = [new LocalHost(), localBackend({ directory }).backend];
    const run = localBackend({ directory, host }).backend;
    atOnce(run, (made) => {
      if (made === 2) throw broken();
    });
    const removing = stopBefore(host, 3);
    const first = refusal(take(run));
    await removing.reached;
    const update = later.driver.updateSnapshot.bind(later.driver);
    let updates = 0;
    later.driver.updateSnapshot = (...args) => {
      updates += 1;
      if (updates === 2) throw broken();
      return update(...args);
    };
    expect(await refusal(take(later))).toMatchObject({ kind: "VolumeBackendError" });
    removing.goOn();
    const error = await first;
    const [left] = await groupsOf(directory);
    expect(left).toMatchObject({ isWhole: true });
    expectTakenOver(error, left?.id ?? "", "group snapshot");
    // What the failed one has left can be taken up.
    expect(await take(localBackend({ directory }).backend)).toMatchObject({ id: left?.id, isWhole: true });
  });

  test.each(["before", "after"] as const)(
    "is taken anew by the second %s the first has copied",
    async (moment) => {
      const { directory, take } = await ground();
      const host = new SlowHost("copy");
      if (moment === "after") host.before.goOn();
      const first = refusal(take(localBackend({ directory, host }).backend));
      const outcome = await Promise.race([first.then(() => "done"), host[moment].reached]);
      // Where the file system has reflinks, no job copies, and nobody can come in between.
      if (outcome === "done") return;
      const made = await take(localBackend({ directory }).backend);
      host.before.goOn();
      host.after.goOn();
      const error = await first;
      expect(error).not.toBeInstanceOf(HalfMadeError);
      if (!isStorageError(error, "SnapshotIsBusy")) throw error;
      expect(error.reason).toMatch(/^The group snapshot .* is gone: another run has removed it meanwhile/);
      expect(await groupsOf(directory)).toMatchObject([{ id: made.id, isWhole: true }]);
      expect(leftBehind(directory)).toEqual([]);
    },
  );

  test("has no further holding of the lock where it is whole at once", async () => {
    const { directory, take } = await ground();
    const { backend, host } = localBackend({ directory });
    atOnce(backend);
    const never = stopBefore(host, 3);
    never.goOn();
    let isHeldAgain = false;
    void never.reached.then(() => {
      isHeldAgain = true;
    });
    await take(backend);
    expect(isHeldAgain).toBe(false);
  });

  test("is no run's any more once it is changed", async () => {
    const { directory, group, take } = await ground();
    const { backend } = localBackend({ directory });
    const { id, members } = await take(backend);
    expect(members[0].settings).toHaveProperty("run");
    const { volumeIds: _, ...changes } = group;
    const changed = await updateGroupSnapshot(
      backend,
      id,
      backend.lastIdentity ?? "",
      { ...changes, name: "after" },
      undefined,
    );
    expect(changed.members.map(({ name }) => name)).toEqual(["after-1", "after-2"]);
    for (const { settings } of changed.members) expect(Object.keys(settings)).toEqual(["group"]);
  });
});

describe("a volume that two runs fill from an image at once", () => {
  const [mine, theirs] = [randomBytes(mebibyte), randomBytes(mebibyte)];

  function image(place: ImageSource["place"]): ImageSource {
    const file = join(tempDirectory(), "image.raw");
    writeFileSync(file, mine);
    return { place, reference: file, format: "raw", compression: null, checksum: null };
  }

  test.each(["stage", "fill"])(
    "is the second one's, and what the first begins late does nothing: %s",
    async (purpose) => {
      const directory = tempDirectory();
      const from = image("path");
      const host = new SlowHost(purpose);
      const first = refusal(create(localBackend({ directory, host }).backend, { image: from }));
      await host.before.reached;
      const made = await create(localBackend({ directory }).backend, { image: from });
      host.before.goOn();
      host.after.goOn();
      expectTakenOver(await first, made.id);
      expect(contentOf(directory, made.id).subarray(0, mebibyte)).toEqual(mine);
      expect(leftBehind(directory)).toEqual([]);
    },
  );

  test("is filled by the second only, while both are at it", async () => {
    const directory = tempDirectory();
    const from = image("path");
    const [host, later] = [new SlowHost("fill"), new SlowHost("fill")];
    const first = refusal(create(localBackend({ directory, host }).backend, { image: from }));
    await host.before.reached;
    const second = create(localBackend({ directory, host: later }).backend, { image: from });
    await later.before.reached;
    host.before.goOn();
    host.after.goOn();
    const refused = await first;
    expect(leftBehind(directory)).toHaveLength(1);
    later.before.goOn();
    later.after.goOn();
    const made = await second;
    expectTakenOver(refused, made.id);
    expect(contentOf(directory, made.id).subarray(0, mebibyte)).toEqual(mine);
  });

  test.each(["begins to send", "has sent"])(
    "has what the second sent, though the first %s another file meanwhile",
    async (moment) => {
      const directory = tempDirectory();
      const from = image("local_path");
      const [host, later] = [new LocalHost(), new SlowHost("take")];
      const sending = gate();
      const stream = host.stream.bind(host);
      host.stream = async (...args) => {
        if (moment === "begins to send") await sending.wait();
        const sent = await stream(...args);
        if (moment === "has sent") await sending.wait();
        return sent;
      };
      const first = refusal(create(localBackend({ directory, host }).backend, { image: from }));
      await sending.reached;
      // The second run is on another machine, whose file of that name is another one.
      writeFileSync(from.reference, theirs);
      const second = create(localBackend({ directory, host: later }).backend, { image: from });
      await later.before.reached;
      sending.goOn();
      const refused = await first;
      later.before.goOn();
      later.after.goOn();
      const made = await second;
      expectTakenOver(refused, made.id);
      expect(contentOf(directory, made.id).subarray(0, mebibyte)).toEqual(theirs);
      expect(leftBehind(directory)).toEqual([]);
    },
  );

  test("is filled anew from what is sent now, not from what an earlier run had sent", async () => {
    const directory = tempDirectory();
    const from = image("local_path");
    const host = new SlowHost("fill");
    const first = refusal(create(localBackend({ directory, host }).backend, { image: from }));
    await host.before.reached;
    writeFileSync(from.reference, theirs);
    const made = await create(localBackend({ directory }).backend, { image: from });
    host.before.goOn();
    host.after.goOn();
    expectTakenOver(await first, made.id);
    expect(contentOf(directory, made.id).subarray(0, mebibyte)).toEqual(theirs);
  });
});
