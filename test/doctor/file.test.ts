import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { doctorCommand } from "../../src/cli/commands/doctor.ts";
import { managesExisting, type Phase, type VolumeRecord } from "../../src/contract/index.ts";
import { FileBackend, newVolume } from "../support/file-backend.ts";
import { StorageHost } from "../support/storage.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { BuiltCommand, Doctor, longAgo, type StatedObject } from "./ground.ts";

let host: StorageHost;
let command: BuiltCommand;
beforeAll(async () => {
  [host, command] = await Promise.all([StorageHost.start(), BuiltCommand.build()]);
});
afterAll(async () => {
  await host?.stop();
  command?.remove();
});

/** Everything that is there, byte by byte, below the directory. */
function contents(directory: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );
}

/** A file backend `demo` on the embedded host, meddled with from behind. */
class Ground {
  readonly directory: string;
  readonly doctor: Doctor;
  readonly backend: FileBackend;
  readonly identity: string;
  readonly stated: StatedObject[] = [];

  private constructor(directory: string, backend: FileBackend, identity: string) {
    this.directory = directory;
    this.backend = backend;
    this.identity = identity;
    this.doctor = new Doctor(command, tempDirectory(), this.settings());
  }

  static async open(): Promise<Ground> {
    const { path } = host.newDirectory();
    const backend = await FileBackend.open({ directory: path });
    return new Ground(path, backend, (await backend.list()).identity ?? "");
  }

  settings(hosts: Readonly<Record<string, unknown>> = {}, backends: Readonly<Record<string, unknown>> = {}) {
    return {
      owner: "acme/prod",
      hosts: { san1: host.settings, ...hosts },
      backends: { demo: { host: "san1", file: { directory: this.directory } }, ...backends },
    };
  }

  async volume(
    name: string,
    options: { phase?: Phase; owner?: string; createdAt?: string } = {},
  ): Promise<VolumeRecord> {
    const { phase = "acknowledged", owner = "acme/prod", createdAt = longAgo } = options;
    const volume = await this.backend.create({ name, owner, createdAt });
    this.edit("volume", volume.id, { phase });
    return volume;
  }

  /** A volume that the state holds. */
  async statedVolume(name: string): Promise<VolumeRecord> {
    const volume = await this.volume(name);
    this.stated.push({ type: "volume", id: `demo/${volume.id}`, identity: this.identity });
    return volume;
  }

  async snapshot(volume: VolumeRecord, name: string): Promise<string> {
    const { id } = await this.backend.snapshot(volume, { name, createdAt: longAgo });
    this.edit("snapshot", id, { phase: "acknowledged" });
    return id;
  }

  async attachment(volume: VolumeRecord): Promise<string> {
    const id = randomUUID();
    await this.backend.attach(volume, { id, mode: "ro", phase: "acknowledged", attachedAt: longAgo });
    return id;
  }

  /** A clone whose run was killed before its job began. */
  async halfMade(source: VolumeRecord, owner = "acme/prod", createdAt = longAgo): Promise<string> {
    const id = randomUUID();
    const asked = newVolume({
      ...{ id, name: "half", owner, createdAt, sizeBytes: source.sizeBytes, provisioning: "thick" },
      source: { kind: "volume", id: source.id },
    });
    const work = await this.backend.change((context) =>
      this.backend.driver.createClonedVolume(asked, source, context),
    );
    if (work.state !== "working") throw new Error("thick volumes are copied by a job");
    return id;
  }

  edit(kind: "volume" | "snapshot", id: string, changes: Readonly<Record<string, unknown>>): void {
    const file = join(this.directory, `${kind}-${id}.json`);
    writeFileSync(file, `${JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...changes })}\n`);
  }

  place(...path: readonly string[]): string {
    return join(this.directory, ...path);
  }

  jobRecord(id: string, exit?: number, purpose = "copy"): string {
    const record = this.place(".breezeblock/jobs", `${purpose}-${id}.job`);
    mkdirSync(record, { recursive: true });
    for (const file of ["argv", "boot", "alive", "stdout", "stderr"]) writeFileSync(join(record, file), "");
    if (exit !== undefined) writeFileSync(join(record, "exit"), `${exit}\n`);
    return record;
  }

  /** As if nothing had been touched for years. */
  age(): void {
    for (const entry of readdirSync(this.directory, { recursive: true, withFileTypes: true })) {
      utimesSync(join(entry.parentPath, entry.name), new Date(longAgo), new Date(longAgo));
    }
  }

  state(): string {
    return this.doctor.writeState(this.stated);
  }
}

/** What other people have there: another owner's volume, attachment, snapshot and half-made copy, one without an owner, files. */
async function plantOthers(ground: Ground): Promise<void> {
  const other = await ground.volume("theirs", { owner: "acme/stage" });
  await ground.backend.attach(other, { mode: "ro", phase: "acknowledged", attachedAt: longAgo });
  await ground.backend.snapshot(other, { createdAt: longAgo });
  const source = await ground.volume("their source", { owner: "acme/stage" });
  await ground.halfMade(source, "acme/stage");
  await ground.volume("nobody's", { owner: "" });
  writeFileSync(ground.place("notes.txt"), "not ours");
  writeFileSync(ground.place(".breezeblock/jobs/notes"), "not ours either");
  ground.jobRecord(randomUUID(), 0);
}

/** One of each kind; ids as the doctor prints them. */
async function plantOrphans(ground: Ground): Promise<readonly string[]> {
  const db = await ground.statedVolume("db");
  const lost = await ground.volume("lost");
  const snapshot = await ground.snapshot(lost, "before");
  const stray = await ground.snapshot(db, "stray");
  const attachment = await ground.attachment(db);
  const lostAttachment = await ground.attachment(lost);
  const unacknowledged = await ground.volume("unacknowledged", { phase: "unacknowledged" });
  const half = await ground.halfMade(db);
  const stale = await ground.volume("stale");
  const unfinished = await ground.volume("unfinished");
  // Nothing is changed through the driver from here on: that would sweep it up.
  rmSync(ground.place(`volume-${stale.id}.raw`));
  const metadata = readFileSync(ground.place(`volume-${unfinished.id}.json`));
  rmSync(ground.place(`volume-${unfinished.id}.raw`));
  rmSync(ground.place(`volume-${unfinished.id}.json`));
  const creating = ".breezeblock/creating";
  writeFileSync(ground.place(creating, `volume-${unfinished.id}.json`), metadata);
  writeFileSync(ground.place(creating, `volume-${unfinished.id}.raw`), "half of it");
  ground.jobRecord(db.id, 0);
  ground.age();
  return [
    ...[lost.id, snapshot, stray, attachment, lostAttachment, unacknowledged.id, half],
    `file:volume-${stale.id}.json`,
    ...["json", "raw"].map((ending) => `file:${creating}/volume-${unfinished.id}.${ending}`),
    `job:copy-${db.id}`,
  ].map((id) => `demo/${id}`);
}

const ids = (findings: readonly { readonly id: string }[]) => findings.map(({ id }) => id).sort();

describe("breezeblock doctor on a file backend", () => {
  let ground: Ground;
  beforeEach(async () => {
    ground = await Ground.open();
  });

  test("where all is well, it says so and ends with 0", async () => {
    await plantOthers(ground);
    await ground.statedVolume("db");
    const before = contents(ground.directory);
    const { exitCode, stdout, stderr } = await ground.doctor.run(["--state", ground.state()]);
    expect([stderr, exitCode]).toEqual(["", 0]);
    expect(stdout).toMatch(/^san1 +127\.0\.0\.1:\d+ +well, commands run as \S+$/m);
    expect(stdout).toMatch(/^demo +file on san1 +well, .* GiB free$/m);
    expect(stdout).toContain("nothing was found that is nobody's");
    expect(contents(ground.directory)).toEqual(before);
  });

  test("finds one of each kind and nothing else, removes one, then all, and touches nobody else's", async () => {
    await plantOthers(ground);
    const others = contents(ground.directory);
    const planted = [...(await plantOrphans(ground))].sort();
    const before = contents(ground.directory);
    const state = ground.state();
    const found = await ground.doctor.report("--state", state);
    expect(ids(found.findings)).toEqual(planted);
    expect([found.exitCode, found.in_progress, found.retained]).toEqual([1, [], []]);
    expect(contents(ground.directory)).toEqual(before);

    const [stray] = found.findings.filter(({ name }) => name === "stray");
    const one = await ground.doctor.run(["--state", state, "--remove", stray?.id ?? ""]);
    expect(one).toEqual({ exitCode: 0, stdout: `Removed ${stray?.id}.\n`, stderr: "" });
    // What killed runs left half-made goes with any change.
    const left = planted.filter((id) => id !== stray?.id && !id.includes("/file:"));
    expect(ids((await ground.doctor.report("--state", state)).findings)).toEqual(left);

    const all = await ground.doctor.report("--state", state, "--remove-all", "--yes");
    expect([all.exitCode, ids(all.removals), all.removals.map(({ outcome }) => outcome)]).toEqual([
      ...[0, left, left.map(() => "removed")],
    ]);
    const after = contents(ground.directory);
    for (const [path, digest] of others) expect([path, after.get(path)]).toEqual([path, digest]);
    const db = ground.stated[0]?.id.slice("demo/".length);
    const own = [...after.keys()].filter((path) => !others.has(path));
    expect(own.sort()).toEqual(["json", "raw"].map((ending) => ground.place(`volume-${db}.${ending}`)));
    expect((await ground.backend.list()).volumes.get(db ?? "")?.attachments).toEqual([]);
    expect(await ground.doctor.report("--state", state)).toMatchObject({ exitCode: 0, findings: [] });
  });

  test("without a state, volumes, snapshots and attachments are unknown; half-made things are not", async () => {
    const planted = await plantOrphans(ground);
    const found = await ground.doctor.report();
    expect(found.findings.map(({ condition }) => condition).filter((one) => one === "orphan")).toEqual([]);
    expect(planted).toEqual(expect.arrayContaining(ids(found.findings)));
    expect(found.findings).toHaveLength(5);
    const volume = planted[0] ?? "";
    const refused = await ground.doctor.run(["--remove", volume]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain(`Not removed: ${volume}.`);
    expect(refused.stdout).toContain("Give --state");
  });

  test("a volume that others made is given back, and not deleted", async () => {
    const disk = ground.place("disk.img");
    writeFileSync(disk, Buffer.alloc(4096, "their data"));
    const before = contents(ground.directory);
    const { driver } = ground.backend;
    if (!managesExisting(driver)) throw new Error("the file driver adopts files");
    const { volumes } = await driver.listManageableVolumes({ executor: ground.backend.executor });
    const [found] = volumes;
    await ground.backend.change(async (context) => {
      const {
        pool: _,
        source: __,
        ...asked
      } = newVolume({
        id: found?.id ?? "",
        name: "disk",
        sizeBytes: 4096,
        provisioning: found?.provisioning ?? "thin",
      });
      await driver.manageExisting(asked, found?.reference ?? "", context);
    });
    const report = await ground.doctor.report(
      ...["--state", ground.state(), "--state-is-complete", "--remove-all", "--yes"],
    );
    expect(report).toMatchObject({
      exitCode: 0,
      removals: [{ id: `demo/${found?.id}`, outcome: "removed" }],
    });
    expect(contents(ground.directory)).toEqual(before);
  });

  test("what a run under way may be making is shown apart, and not removed", async () => {
    const db = await ground.statedVolume("db");
    const young = await ground.volume("young", {
      phase: "unacknowledged",
      createdAt: new Date().toISOString(),
    });
    const copied = await ground.halfMade(db);
    const record = ground.jobRecord(copied, undefined, "stage");
    const job = spawn("flock", [
      join(record, "alive"),
      "sh",
      "-c",
      `touch '${record}/boot'; echo; exec sleep 600`,
    ]);
    onTestFinished(() => {
      job.kill();
    });
    await waitFor(
      "the job holding its lock",
      () => new Promise((resolve) => job.stdout.once("data", () => resolve(true))),
    );
    const state = ground.state();
    const before = contents(ground.directory);
    const found = await ground.doctor.report("--state", state, "--remove-all", "--yes");
    expect([found.exitCode, found.findings, found.removals]).toEqual([0, [], []]);
    expect(ids(found.in_progress)).toEqual([`demo/${young.id}`, `demo/${copied}`].sort());
    expect(await ground.doctor.report("--state", state, "--remove", `demo/${copied}`)).toMatchObject({
      exitCode: 1,
      removals: [{ outcome: "refused", reason: expect.stringContaining("a job works on it") }],
    });
    expect(contents(ground.directory)).toEqual(before);
    expect(ids((await ground.doctor.report("--state", state, "--min-age", "0")).findings)).toEqual([
      `demo/${young.id}`,
    ]);
  });

  test("what has just been left may be somebody's work of this moment", async () => {
    const planted = await plantOrphans(ground);
    const recent = planted.filter((id) => id.includes("/file:") || id.includes("/job:"));
    for (const id of recent) {
      const name = id.slice(id.indexOf(":") + 1);
      const path = name.startsWith("copy-") ? `.breezeblock/jobs/${name}.job/exit` : name;
      utimesSync(ground.place(path), new Date(), new Date());
    }
    const found = await ground.doctor.report("--state", ground.state());
    expect(ids(found.in_progress)).toEqual([...recent].sort());
    expect(ids(found.findings)).toEqual(planted.filter((id) => !recent.includes(id)).sort());
  });

  test("what was made since a state file was written is not removed, unless that is complete", async () => {
    await ground.statedVolume("db");
    const lost = await ground.volume("lost");
    const state = ground.state();
    utimesSync(state, new Date(longAgo), new Date(Date.parse(longAgo) - 1000));
    const removing = ["--state", state, "--remove", `demo/${lost.id}`];
    expect(await ground.doctor.report(...removing)).toMatchObject({
      exitCode: 1,
      removals: [{ outcome: "refused", next_step: expect.stringContaining("younger than a state file") }],
    });
    expect(await ground.doctor.report(...removing, "--state-is-complete")).toMatchObject({
      exitCode: 0,
      removals: [{ outcome: "removed" }],
    });
  });

  test("what a run has put into a state while the question stood is not removed", async () => {
    await ground.statedVolume("db");
    const taken = await ground.volume("taken");
    const lost = await ground.volume("lost");
    const state = ground.state();
    let printed = "";
    const exitCode = await doctorCommand.run(
      ["--config", join(dirname(state), "breezeblock.yaml"), "--state", state, "--remove-all"],
      {
        stdout: (text) => {
          printed += text;
        },
        stderr: () => undefined,
        async ask() {
          ground.stated.push({ type: "volume", id: `demo/${taken.id}`, identity: ground.identity });
          ground.state();
          return "yes";
        },
      },
    );
    expect(printed).toContain(`Removed demo/${lost.id}.`);
    expect(printed).toContain(`Not removed: demo/${taken.id}.`);
    expect(exitCode).toBe(1);
    expect([...(await ground.backend.list()).volumes.keys()]).toContain(taken.id);
  });

  test("its output is the documentation's", async () => {
    const db = await ground.statedVolume("db");
    const { id: lost } = await ground.volume("old-db");
    const attachment = await ground.attachment(db);
    await ground.volume("archive", { phase: "retained" });
    ground.state();
    const removing = [
      "--state",
      "terraform.tfstate",
      "--remove",
      `demo/${lost}`,
      "--remove",
      `demo/${attachment}`,
    ];
    const [report, removals] = [
      await ground.doctor.run(["--state", "terraform.tfstate"]),
      await ground.doctor.run(removing),
    ];
    const words = (text: string) =>
      text
        .replaceAll(lost, "1f0e4c1a-64b7-4d0c-9f0e-1c0e8e6a7b01")
        .replaceAll(attachment, "5d3a7f52-0b8e-4f7e-8c5d-6a1b2c3d4e02")
        .replaceAll(/(?<=demo\/)(?!1f0e4c1a|5d3a7f52)[0-9a-f-]{36}/g, "9b2d6f10-3c4e-4a5b-8d7c-2e1f0a9b8c03")
        .replaceAll(/127\.0\.0\.1:\d{5}/g, "192.0.2.7:22   ")
        .replaceAll(/commands run as \S+/g, "commands run as storage")
        .replaceAll(/[\d.]+ of [\d.]+ GiB free/g, "61.3 of 98.0 GiB free");
    const shown = `$ breezeblock doctor --state terraform.tfstate\n${words(report.stdout)}\n$ breezeblock doctor ${words(removing.join(" "))}\n${words(removals.stdout)}`;
    await expect(shown).toMatchFileSnapshot(repositoryFile("examples/doctor/output.txt"));
  });

  test("what is protected, needed, damaged or retained is not removed; the others are all the same", async () => {
    const safe = await ground.volume("protected");
    ground.edit("volume", safe.id, { deletionProtection: true });
    const needed = await ground.volume("needed");
    const snapshot = await ground.snapshot(needed, "wanted");
    ground.stated.push({ type: "snapshot", id: `demo/${snapshot}`, identity: ground.identity });
    const damaged = await ground.volume("damaged");
    ground.edit("volume", damaged.id, { phase: "unheard of" });
    const kept = await ground.volume("kept", { phase: "retained" });
    const lost = await ground.volume("lost");
    const state = ground.state();
    const found = await ground.doctor.report("--state", state, "--remove-all", "--yes");
    expect(found.exitCode).toBe(1);
    expect(ids(found.retained)).toEqual([`demo/${kept.id}`]);
    expect(found.removals.map(({ id, outcome }) => [id, outcome]).sort()).toEqual(
      [
        [`demo/${safe.id}`, "refused"],
        [`demo/${needed.id}`, "refused"],
        [`demo/${damaged.id}`, "refused"],
        [`demo/${lost.id}`, "removed"],
      ].sort(),
    );
    const again = await ground.doctor.report("--state", state);
    expect(ids(again.findings)).toEqual([safe, needed, damaged].map(({ id }) => `demo/${id}`).sort());
    expect(again.findings.map(({ removable }) => removable)).toEqual([false, false, false]);
  });

  test("a host that cannot be reached is told of, calls nothing an orphan, and does not stop the others", async () => {
    const lost = await ground.volume("lost");
    const settings = ground.settings(
      {
        gone: { ...host.settings, port: 1, dial_attempts: 1 },
        other: { ...host.settings, host_key: `SHA256:${"A".repeat(43)}` },
      },
      { far: { host: "gone", file: { directory: ground.directory } } },
    );
    const doctor = new Doctor(command, tempDirectory(), settings);
    const state = doctor.writeState(ground.stated);
    const found = await doctor.report("--state", state);
    expect(found.exitCode).toBe(1);
    expect(found.hosts).toMatchObject([
      { name: "san1", well: true },
      { name: "gone", well: false, reason: expect.stringContaining("refused") },
      { name: "other", well: false, reason: expect.stringContaining("key") },
    ]);
    expect(found.backends).toMatchObject([
      { name: "demo", well: true, judged: true },
      { name: "far", well: false, judged: false },
    ]);
    expect(ids(found.findings)).toEqual([`demo/${lost.id}`]);
  });

  test("states of other storage, of another owner, or of backends that are not configured are told of", async () => {
    await ground.volume("lost");
    const theirs = await ground.volume("theirs", { owner: "acme/stage" });
    const here = { type: "volume", identity: ground.identity } as const;
    const elsewhere = ground.doctor.writeState(
      [{ ...here, id: `demo/${randomUUID()}`, identity: "another" }],
      "a",
    );
    const another = ground.doctor.writeState([{ ...here, id: `demo/${theirs.id}` }], "b");
    const unknown = ground.doctor.writeState([{ ...here, id: `old/${randomUUID()}` }], "c");
    for (const [state, words] of [
      [elsewhere, "was made with the storage another"],
      [another, 'of owner "acme/stage"'],
    ] as const) {
      const found = await ground.doctor.report("--state", state, "--remove-all", "--yes");
      expect([found.exitCode, found.findings, found.removals]).toEqual([1, [], []]);
      expect(found.backends[0]?.problems[0]?.reason).toContain(words);
    }
    const found = await ground.doctor.report("--state", unknown);
    expect(found.states[0]?.problems[0]?.reason).toContain('1 object of backend "old"');
    expect([found.exitCode, found.findings]).toEqual([1, []]);
  });

  test("a state that is strange to one backend, or has things where nobody can look, convicts nothing on another", async () => {
    await ground.statedVolume("db");
    const lost = await ground.volume("lost");
    const other = await Ground.open();
    const theirs = await other.volume("theirs", { owner: "acme/stage" });
    const settings = (hostName: string) => {
      const bulk = { host: hostName, file: { directory: other.directory } };
      return ground.settings({ gone: { ...host.settings, port: 1, dial_attempts: 1 } }, { bulk });
    };
    const here = { type: "volume", identity: other.identity } as const;
    const before = contents(ground.directory);
    for (const hostName of ["san1", "gone"]) {
      const doctor = new Doctor(command, tempDirectory(), settings(hostName));
      const strange = doctor.writeState([{ ...here, id: `bulk/${theirs.id}` }], "strange");
      const args = ["--state", strange, "--state", doctor.writeState(ground.stated), "--state-is-complete"];
      const found = await doctor.report(...args, "--remove-all", "--yes");
      expect([found.exitCode, found.findings, found.removals]).toEqual([1, [], []]);
      expect(found.states[0]?.problems[0]?.reason).toContain('ackend "bulk"');
      expect(await doctor.report(...args, "--remove", `demo/${lost.id}`)).toMatchObject({
        removals: [{ outcome: "refused" }],
      });
    }
    expect(contents(ground.directory)).toEqual(before);
  });

  test("a state that has nothing on a backend, such as another workspace's, has nothing removed there unless it is complete", async () => {
    const lost = await ground.volume("lost");
    const before = contents(ground.directory);
    const empty = '{"format_version":"1.0"}';
    const removing = ["--json", "--state", "-", "--remove-all", "--yes"];
    const refused = await ground.doctor.run(removing, empty);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      findings: [{ id: `demo/${lost.id}`, removable: false }],
      removals: [{ outcome: "refused", next_step: expect.stringContaining("--state-is-complete") }],
    });
    expect([refused.exitCode, contents(ground.directory)]).toEqual([1, before]);
    const removed = await ground.doctor.run([...removing, "--state-is-complete"], empty);
    expect(JSON.parse(removed.stdout)).toMatchObject({ well: true, removals: [{ outcome: "removed" }] });
  });

  test.each<readonly [readonly string[], string]>([
    [["--remove-all"], "needs --state"],
    [["--remove-all", "--state", "-"], "give --yes"],
    [["--remove-all", "--remove", "x", "--state", "-"], "exclude each other"],
    [["--state-is-complete"], "needs --state"],
    [["--min-age", "soon"], "whole number"],
    [["--state", "missing.json"], "cannot be read"],
    [["--config", "missing.yaml"], "Unable to read the configuration file"],
    [["--state", "-"], "- is not JSON"],
    [["x"], "Unexpected argument"],
  ])("%j ends with 2, and says why", async (args, words) => {
    const { exitCode, stdout, stderr } = await ground.doctor.run(args);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
  });

  test("a state comes on standard input too; without an owner none can be judged by", async () => {
    const lost = await ground.volume("lost");
    const state = readFileSync(ground.state(), "utf8");
    const { stdout } = await ground.doctor.run(["--json", "--state", "-"], state);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [{ id: `demo/${lost.id}` }] });
    const nobody = new Doctor(command, tempDirectory(), { ...ground.settings(), owner: null });
    expect(await nobody.report()).toMatchObject({ exitCode: 0, findings: [], backends: [{ judged: false }] });
    expect(await nobody.run(["--state", "-"], state)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("give --owner"),
    });
    const owned = await nobody.run(["--json", "--owner", "acme/prod", "--state", "-"], state);
    expect(JSON.parse(owned.stdout)).toMatchObject({
      owner: "acme/prod",
      findings: [{ id: `demo/${lost.id}` }],
    });
  });
});
