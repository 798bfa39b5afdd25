import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  attach,
  type Backend,
  bringTo,
  createSnapshot,
  createVolume,
  deleteVolume,
  Fleet,
  moveOf,
  type PlacementSettings,
  restoreVolume,
  retainVolume,
  settleMove,
  takeBack,
  updateVolume,
  whereIs,
} from "../src/backend/index.ts";
import {
  type Argument,
  type Executor,
  type JobResult,
  type JobSpec,
  type LockOptions,
  type RunOptions,
  StorageError,
} from "../src/contract/index.ts";
import { LocalHost } from "./support/backend.ts";
import { mebibyte, needs } from "./support/file-backend.ts";
import { tempDirectory } from "./support/temp-directory.ts";

const sizeBytes = 8 * mebibyte;

/** How many commands a run carries out before it is killed. */
class Life {
  left: number;

  constructor(commands = Number.POSITIVE_INFINITY) {
    this.left = commands;
  }

  spend(): void {
    if (this.left-- > 0) return;
    throw new StorageError({ kind: "Cancelled", action: "go on", reason: "killed" });
  }
}

/** What became of jobs on the hosts, which outlives the runs: as a host keeps it, by place, name and arguments. */
type JobRecords = Map<string, { readonly argv: string; readonly result: JobResult }>;

class MortalHost extends LocalHost {
  readonly #life: Life;
  jobRecords: JobRecords = new Map();
  /** Awaited before each lock is taken; lets a test do something meanwhile. */
  beforeLock: () => Promise<void> = async () => undefined;

  constructor(life: Life) {
    super();
    this.#life = life;
  }

  override run(argv: readonly Argument[], options?: RunOptions) {
    this.#life.spend();
    return super.run(argv, options);
  }

  override async withLock<T>(file: string, options: LockOptions, use: (locked: Executor) => Promise<T>) {
    await this.beforeLock();
    return super.withLock(file, options, ({ host, run }) =>
      use({
        host,
        run: async (argv, runOptions) => {
          this.#life.spend();
          return run(argv, runOptions);
        },
      }),
    );
  }

  override async runJob(job: JobSpec) {
    this.#life.spend();
    const argv = JSON.stringify(job.argv);
    const ended = this.jobRecords.get(`${job.directory}/${job.id}`);
    if (ended?.argv === argv) return ended.result;
    const result = await super.runJob(job);
    this.jobRecords.set(`${job.directory}/${job.id}`, { argv, result });
    return result;
  }

  override async forgetJob(job: Pick<JobSpec, "id" | "directory">) {
    this.#life.spend();
    this.jobRecords.delete(`${job.directory}/${job.id}`);
  }

  override stream(...args: Parameters<LocalHost["stream"]>) {
    this.#life.spend();
    return super.stream(...args);
  }
}

type Format = "raw" | "qcow2";

/** Two directories, and runs of a provider that know nothing but what stands in them. */
class Ground {
  readonly old = tempDirectory();
  readonly new = tempDirectory();
  readonly third = tempDirectory();
  readonly jobRecords: JobRecords = new Map();
  readonly #hosts: "one host" | "two hosts";
  readonly #format: Format;

  constructor(hosts: "one host" | "two hosts" = "one host", format: Format = "raw") {
    this.#hosts = hosts;
    this.#format = format;
  }

  run(
    life = new Life(),
    {
      placement = {},
      beforeLock = async (): Promise<void> => undefined,
    }: { placement?: PlacementSettings; beforeLock?: () => Promise<void> } = {},
  ) {
    const settings = (name: string) => ({
      name,
      address: name,
      port: 22,
      user: "root",
      auth: {},
      hostKeys: {},
    });
    const other = this.#hosts === "one host" ? "a" : "b";
    const fleet = new Fleet(
      {
        owner: "acme/prod",
        defaultLabels: {},
        deletionProtection: false,
        hosts: { a: settings("a"), b: settings("b") } as never,
        backends: [
          backend("old", "a", this.old, "raw"),
          { ...backend("new", other, this.new, this.#format), placement },
          backend("third", "a", this.third, "raw"),
        ],
      },
      { openHost: () => Object.assign(new MortalHost(life), { beforeLock, jobRecords: this.jobRecords }) },
    );
    const [old, next, third] = ["old", "new", "third"].map((name) => fleet.backend(name, []));
    if (old === undefined || next === undefined || third === undefined) throw new Error("there are three");
    return { fleet, old, new: next, third };
  }

  /** What is left in a directory of volumes, but for what every backend keeps. */
  leftIn(directory: string): readonly string[] {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => name !== "identity" && name !== "lock")
      .sort();
  }

  content(backend: Backend, uuid: string): Buffer {
    if (backend.name === "old") return readFileSync(join(this.old, `volume-${uuid}.raw`));
    const path = join(this.new, `volume-${uuid}.${this.#format}`);
    if (this.#format === "raw") return readFileSync(path);
    execFileSync("qemu-img", ["convert", "-O", "raw", path, `${path}.plain`]);
    return readFileSync(`${path}.plain`);
  }
}

function backend(name: string, host: string, directory: string, format: Format) {
  const technology = { technology: "file", directory, format } as const;
  return { name, aliases: [], host, technology, unreachable: "error" } as const;
}

async function made(ground: Ground) {
  const run = ground.run();
  const volume = await createVolume(
    run.old,
    {
      name: "db",
      namePrefix: null,
      sizeBytes,
      source: null,
      pool: null,
      provisioning: "thin",
      multiattach: false,
      labels: { app: "db" },
      defaultLabels: {},
      deletionProtection: true,
      settings: { deletion_policy: "retain" },
    },
    undefined,
  );
  const bytes = Buffer.alloc(sizeBytes);
  bytes.write("the first", 0);
  bytes.write("the last", sizeBytes - 8);
  writeFileSync(join(ground.old, `volume-${volume.id}.raw`), bytes);
  return { run, volume, bytes };
}

function move({ new: target }: ReturnType<Ground["run"]>) {
  return {
    target,
    birthplace: "old",
    name: "db",
    pool: null,
    provisioning: "thin",
  } as const;
}

async function found(run: ReturnType<Ground["run"]>, uuid: string) {
  const { found: place } = await whereIs(run.fleet, run.old, uuid);
  if (place === undefined) throw new Error("The volume is nowhere.");
  return place;
}

/** A move whose new volume is whole, and whose run is killed before the old one is removed. */
async function killedAfterSwitch(
  ground: Ground,
  id: string,
  from: "old" | "new",
  to: "new" | "third",
): Promise<void> {
  const killed = ground.run();
  killed[from].driver.deleteVolume = async () => {
    throw new StorageError({ kind: "Cancelled", action: "delete", reason: "killed" });
  };
  const onwards = { ...move(killed), target: killed[to] };
  const moving = bringTo(killed.fleet, await found(killed, id), onwards, undefined);
  await expect(moving).rejects.toThrow(/killed/);
}

/** As if its host were down. */
function silence(backend: Backend): void {
  backend.listing = async () => {
    throw new StorageError({ kind: "BackendUnreachable", action: "list", reason: "it is down" });
  };
}

describe.each(["one host", "two hosts"] as const)("on %s", (hosts) => {
  test.for(["raw", "qcow2"] as const)(
    "a volume moves to a %s file with every byte and all that is known of it",
    async (format, context) => {
      needs(format, context);
      const ground = new Ground(hosts, format);
      const { run, volume, bytes } = await made(ground);
      const { record } = await bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
      expect(record).toMatchObject({
        ...{ id: volume.id, name: "db", phase: "acknowledged", sizeBytes, deletionProtection: true },
        ...{ labels: { app: "db" }, createdAt: volume.createdAt },
      });
      expect(moveOf(record)).toBeUndefined();
      expect(ground.leftIn(ground.old)).toEqual([]);
      expect(ground.leftIn(ground.new)).toEqual(
        [`volume-${volume.id}.${format}`, `volume-${volume.id}.json`].sort(),
      );
      expect(ground.content(run.new, volume.id).equals(bytes)).toBe(true);
      // A run that knows the old place only.
      const place = await found(ground.run(), volume.id);
      expect(place.backend.name).toBe("new");
    },
  );

  test("killed at any step, either volume is whole, and the next run finishes the move, or takes it back", async () => {
    let kills = 0;
    for (let dieAt = 1; ; dieAt += 1) {
      const ends = ["finish", "take back"] as const;
      // What happens afterwards is the same wherever the hosts are.
      for (const next of hosts === "one host" ? ends : ends.slice(dieAt % 2, (dieAt % 2) + 1)) {
        const ground = new Ground(hosts);
        const { volume, bytes } = await made(ground);
        const dying = new Life();
        const killed = ground.run(dying);
        const place = await found(killed, volume.id);
        dying.left = dieAt;
        const error: unknown = await bringTo(killed.fleet, place, move(killed), undefined).catch((e) => e);
        if (!(error instanceof Error)) {
          expect(kills).toBeGreaterThan(10);
          return;
        }
        kills += 1;
        const run = ground.run();
        const left = await found(run, volume.id);
        expect(ground.content(left.backend, volume.id).equals(bytes)).toBe(true);
        const end =
          next === "finish"
            ? await bringTo(run.fleet, left, move(run), undefined)
            : await settleMove(run.fleet, left, undefined);
        expect(ground.content(end.backend, volume.id).equals(bytes)).toBe(true);
        expect(moveOf(end.record)).toBeUndefined();
        if (next === "finish") expect(end.backend.name).toBe("new");
        const other = end.backend.name === "new" ? ground.old : ground.new;
        expect(ground.leftIn(other)).toEqual([]);
      }
    }
  });
});

test("while it is being moved, nobody attaches, copies, or changes it", async () => {
  const ground = new Ground();
  const { volume } = await made(ground);
  const life = new Life();
  const killed = ground.run(life);
  const place = await found(killed, volume.id);
  life.left = 7;
  await expect(bringTo(killed.fleet, place, move(killed), undefined)).rejects.toThrow(/killed/);
  const run = ground.run();
  const left = await found(run, volume.id);
  expect(moveOf(left.record)).toMatchObject({ direction: "to", backend: "new" });
  const identity = (await run.old.listing()).identity ?? "";
  const request = { volumeId: volume.id, connector: { host: "web1" }, mode: "rw" } as const;
  await expect(attach(run.old, request, undefined)).rejects.toThrow(/being moved to backend "new"/);
  await expect(updateVolume(run.old, volume.id, identity, { name: "other" }, undefined)).rejects.toThrow(
    /being moved/,
  );
});

test("what is in use, or has snapshots, is not moved, and is left as it was", async () => {
  const ground = new Ground();
  const { run, volume } = await made(ground);
  const snapshot = await createSnapshot(
    run.old,
    {
      volumeId: volume.id,
      name: "before",
      labels: {},
      defaultLabels: {},
      deletionProtection: false,
      settings: {},
    },
    undefined,
  );
  const place = await found(run, volume.id);
  await expect(bringTo(run.fleet, place, move(run), undefined)).rejects.toThrow(
    new RegExp(`snapshot "before" \\(${snapshot.id}\\)`),
  );
  expect(moveOf((await found(ground.run(), volume.id)).record)).toBeUndefined();
});

test("a name that is taken on the other backend is refused before anything is written", async () => {
  const ground = new Ground();
  const { run, volume } = await made(ground);
  await createVolume(
    run.new,
    {
      name: "db",
      namePrefix: null,
      sizeBytes,
      source: null,
      pool: null,
      provisioning: "thin",
      multiattach: false,
      labels: {},
      defaultLabels: {},
      deletionProtection: false,
      settings: {},
    },
    undefined,
  );
  await expect(bringTo(run.fleet, await found(run, volume.id), move(run), undefined)).rejects.toThrow(
    /has that name already/,
  );
  expect(moveOf((await found(ground.run(), volume.id)).record)).toBeUndefined();
});

test("what the other backend does not take by then stays where it is", async () => {
  const ground = new Ground();
  const { volume, bytes } = await made(ground);
  const run = ground.run(new Life(), { placement: { filterFunction: "volume.size > 1" } });
  const moved = bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
  await expect(moved).rejects.toMatchObject({
    kind: "NoValidBackend",
    reason: expect.stringContaining("filter_function"),
  });
  const place = await found(ground.run(), volume.id);
  expect([place.backend.name, moveOf(place.record)]).toEqual(["old", undefined]);
  expect(ground.content(place.backend, volume.id)).toEqual(bytes);
  expect(ground.leftIn(ground.new)).toEqual([]);
});

test("a failed copy is taken back, and the volume can be used again at once", async () => {
  const ground = new Ground("two hosts");
  const { run, volume, bytes } = await made(ground);
  run.new.host.stream = async () => ({ exitCode: 1, stderr: Buffer.from("No space left on device") });
  await expect(bringTo(run.fleet, await found(run, volume.id), move(run), undefined)).rejects.toThrow(
    /No space left on device/,
  );
  const next = ground.run();
  const place = await found(next, volume.id);
  expect(place.backend.name).toBe("old");
  expect(moveOf(place.record)).toBeUndefined();
  expect(ground.leftIn(ground.new)).toEqual([]);
  expect(ground.content(place.backend, volume.id).equals(bytes)).toBe(true);
});

test("a moved volume goes where its id comes from again, and can be deleted there", async () => {
  const ground = new Ground();
  const { run, volume, bytes } = await made(ground);
  const there = await bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
  const back = await bringTo(run.fleet, there, { ...move(run), target: run.old }, undefined);
  expect(back.backend).toBe(run.old);
  expect(ground.content(run.old, volume.id).equals(bytes)).toBe(true);
  expect(ground.leftIn(ground.new)).toEqual([]);
  const identity = (await run.old.listing()).identity ?? "";
  await updateVolume(run.old, volume.id, identity, { deletionProtection: false }, undefined);
  await deleteVolume(run.old, volume.id, identity, undefined);
  expect(ground.leftIn(ground.old)).toEqual([]);
});

test("a moved volume that is put back to a snapshot is found by its id afterwards", async () => {
  const ground = new Ground();
  const { run, volume, bytes } = await made(ground);
  await bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
  const request = { volumeId: volume.id, name: "s", labels: {}, defaultLabels: {}, settings: {} };
  const snapshot = await createSnapshot(run.new, { ...request, deletionProtection: false }, undefined);
  writeFileSync(join(ground.new, `volume-${volume.id}.raw`), Buffer.alloc(sizeBytes));
  const next = ground.run();
  const { identity } = await next.new.listing();
  await restoreVolume(
    next.new,
    volume.id,
    identity ?? "",
    { snapshotId: snapshot.id, settings: { deletion_policy: "retain" }, isDone: () => false },
    undefined,
  );
  expect(ground.content(next.new, volume.id).equals(bytes)).toBe(true);
  expect((await found(ground.run(), volume.id)).backend.name).toBe("new");
});

test("a move is not ended by storage that has come to the place of the old one", async () => {
  const ground = new Ground();
  const { volume, bytes } = await made(ground);
  await killedAfterSwitch(ground, volume.id, "old", "new");
  const away = `${ground.old}.elsewhere`;
  renameSync(ground.old, away);
  mkdirSync(ground.old);
  const other = ground.run();
  await other.old.establishIdentity();
  const there = await whereIs(other.fleet, other.new, volume.id);
  if (there.found === undefined) throw new Error("The new volume is gone.");
  await expect(settleMove(other.fleet, there.found, undefined)).rejects.toMatchObject({
    kind: "BackendIdentityMismatch",
  });
  rmSync(ground.old, { recursive: true });
  renameSync(away, ground.old);
  const next = ground.run();
  const end = await settleMove(next.fleet, await found(next, volume.id), undefined);
  expect(end.backend.name).toBe("new");
  expect(ground.content(end.backend, volume.id).equals(bytes)).toBe(true);
  expect(ground.leftIn(ground.old)).toEqual([]);
});

test("in the middle of a second move, a volume is found where it counts, by the name that it was born with", async () => {
  const ground = new Ground();
  const { run, volume, bytes } = await made(ground);
  await bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
  await killedAfterSwitch(ground, volume.id, "new", "third");
  const next = ground.run();
  const counts = await found(next, volume.id);
  expect(counts.backend.name).toBe("third");
  expect(readFileSync(join(ground.third, `volume-${volume.id}.raw`)).equals(bytes)).toBe(true);
});

test("a moved volume is found though the backend that it was made on does not answer", async () => {
  const ground = new Ground();
  const { run, volume } = await made(ground);
  await bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
  const next = ground.run();
  silence(next.old);
  expect((await found(next, volume.id)).backend.name).toBe("new");
  await expect(whereIs(next.fleet, next.old, randomUUID())).rejects.toMatchObject({
    kind: "BackendUnreachable",
  });
});

test("a volume on its way to a backend that does not answer does not count as gone", async () => {
  const ground = new Ground();
  const { run, volume } = await made(ground);
  await bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
  await killedAfterSwitch(ground, volume.id, "new", "third");
  const next = ground.run();
  silence(next.third);
  await expect(whereIs(next.fleet, next.old, volume.id)).rejects.toMatchObject({
    kind: "BackendUnreachable",
  });
});

test("a volume that was retained, and imported again, moves as any other", async () => {
  const ground = new Ground();
  const { run, volume } = await made(ground);
  const { identity } = await run.old.listing();
  await retainVolume(run.old, volume.id, identity ?? "", undefined);
  const next = ground.run();
  const { record } = await bringTo(next.fleet, await found(next, volume.id), move(next), undefined);
  expect(record.phase).toBe("acknowledged");
});

test("a copy of which a record was left says nothing of a later one to the same place", async () => {
  const ground = new Ground();
  const { volume } = await made(ground);
  const first = ground.run();
  first.new.host.forgetJob = async () => {
    if (ground.jobRecords.size === 0) return;
    throw new StorageError({ kind: "OperationInDoubt", action: "forget a job", reason: "killed" });
  };
  await bringTo(first.fleet, await found(first, volume.id), move(first), undefined).catch(() => undefined);
  const second = ground.run();
  const there = await found(second, volume.id);
  await bringTo(second.fleet, there, { ...move(second), target: second.old }, undefined);
  const later = Buffer.alloc(sizeBytes, "written later");
  writeFileSync(join(ground.old, `volume-${volume.id}.raw`), later);
  const third = ground.run();
  const end = await bringTo(third.fleet, await found(third, volume.id), move(third), undefined);
  expect(ground.content(end.backend, volume.id).equals(later)).toBe(true);
  expect(ground.leftIn(ground.old)).toEqual([]);
});

describe.each([
  ["takes the move back", false],
  ["takes the move back and begins another", true],
] as const)("another run %s", (_, beginsAnother) => {
  test("whenever that is, what was last written is what is kept", async () => {
    for (let lock = 1; ; lock += 1) {
      const ground = new Ground();
      const { volume, bytes } = await made(ground);
      let latest = bytes;
      let left = lock;
      const slow = ground.run(new Life(), {
        beforeLock: async () => {
          left -= 1;
          if (left !== 0) return;
          const other = ground.run();
          const place = await found(other, volume.id);
          const settledAt = await settleMove(other.fleet, place, undefined).catch(() => undefined);
          if (settledAt?.backend.name !== "old" || moveOf(settledAt.record) !== undefined) return;
          // Who uses the volume writes to it where it is then.
          latest = Buffer.alloc(sizeBytes, "written meanwhile");
          writeFileSync(join(ground.old, `volume-${volume.id}.raw`), latest);
          if (!beginsAnother) return;
          const third = ground.run();
          third.new.host.runJob = async () => {
            throw new StorageError({ kind: "Cancelled", action: "copy", reason: "killed" });
          };
          await bringTo(third.fleet, await found(third, volume.id), move(third), undefined).catch(() => {});
        },
      });
      await bringTo(slow.fleet, await found(slow, volume.id), move(slow), undefined).catch(() => undefined);
      if (left > 0) {
        expect(lock).toBeGreaterThan(7);
        return;
      }
      const run = ground.run();
      const place = await found(run, volume.id);
      expect(ground.content(place.backend, volume.id).equals(latest)).toBe(true);
      const end = await bringTo(run.fleet, place, move(run), undefined);
      expect(end.backend.name).toBe("new");
      expect(ground.content(end.backend, volume.id).equals(latest)).toBe(true);
      expect(ground.leftIn(ground.old)).toEqual([]);
    }
  });
});

test("a whole copy of another move is neither taken for the volume nor deleted", async () => {
  const ground = new Ground();
  const { run, volume, bytes } = await made(ground);
  await bringTo(run.fleet, await found(run, volume.id), move(run), undefined);
  const old = tempDirectory();
  cpSync(ground.new, old, { recursive: true });
  const back = ground.run();
  await bringTo(back.fleet, await found(back, volume.id), { ...move(back), target: back.old }, undefined);
  // As a run leaves it that was killed after the switch.
  const name = `volume-${volume.id}`;
  cpSync(join(old, `${name}.raw`), join(ground.new, `${name}.raw`));
  const sidecar = JSON.parse(readFileSync(join(old, `${name}.json`), "utf8")) as { settings: object };
  const settings = { ...sidecar.settings, move: { from: "old", token: "00000000000000aa" } };
  writeFileSync(join(ground.new, `${name}.json`), `${JSON.stringify({ ...sidecar, settings })}\n`);
  const next = ground.run();
  const place = await found(next, volume.id);
  expect(place.backend.name).toBe("old");
  await expect(bringTo(next.fleet, place, move(next), undefined)).rejects.toThrow(/Another whole volume/);
  const after = await found(ground.run(), volume.id);
  expect(moveOf(after.record)).toBeUndefined();
  expect(ground.content(next.old, volume.id).equals(bytes)).toBe(true);
  expect(ground.content(next.new, volume.id).equals(bytes)).toBe(true);
});

test("storage that is not there for a while is not storage without the new volume", async () => {
  const ground = new Ground();
  const { volume, bytes } = await made(ground);
  await killedAfterSwitch(ground, volume.id, "old", "new");
  const unmounted = `${ground.new}.elsewhere`;
  renameSync(ground.new, unmounted);
  mkdirSync(ground.new);
  const run = ground.run();
  await expect(whereIs(run.fleet, run.old, volume.id)).rejects.toMatchObject({
    kind: "BackendIdentityMismatch",
  });
  const record = (await run.old.listing()).volumes.get(volume.id);
  if (record === undefined) throw new Error("The old volume is gone.");
  const place = { backend: run.old, record };
  await expect(bringTo(run.fleet, place, move(run), undefined)).rejects.toThrow();
  await expect(settleMove(run.fleet, place, undefined)).rejects.toThrow();
  await expect(takeBack(run.old, run.new, volume.id)).rejects.toThrow();
  expect(readdirSync(ground.new)).toEqual([]);
  rmdirSync(ground.new);
  renameSync(unmounted, ground.new);
  const next = ground.run();
  const end = await bringTo(next.fleet, await found(next, volume.id), move(next), undefined);
  expect(ground.content(end.backend, volume.id).equals(bytes)).toBe(true);
  expect(ground.leftIn(ground.old)).toEqual([]);
});
