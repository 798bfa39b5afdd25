import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesPerGib } from "../../../src/contract/index.ts";
import { expectSuccess, unexpectedChanges } from "../../support/pulumi.ts";
import type { Sidecar } from "../../support/storage.ts";
import { describePulumi, errorsIn, Scenario, useHost, useScenario } from "./scenario.ts";

/** A volume on `demo`, which `more` says more of. */
function volume(label: string, more = "", size: number | null = 1): string {
  const sized = size === null ? "" : `size: ${size},`;
  return `const ${label} = new breezeblock.Volume("${label}", { backend: "demo", name: "${label}", ${sized} ${more} });\n`;
}

describePulumi("volumes, snapshots and attachments", () => {
  const scenario = useScenario({ checkTypes: true });
  let db: Sidecar;

  const copies = `
    const first = new breezeblock.Snapshot("first", { name: "first", volumeId: db.id });
    ${volume("restored", "source: { snapshotId: first.id }", 3)}
    ${volume("clone", "source: { volumeId: db.id }", null)}`;
  const attachments = `
    const here = new breezeblock.Attachment("here", { volumeId: clone.id, host: "lab" });
    const there = new breezeblock.Attachment("there", {
      volumeId: restored.id, connector: { host: "web1" }, mode: "ro",
    });`;

  test("a volume is created, and then there is nothing to do", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume("db"));
    expect(await workspace.steps()).toEqual([{ op: "create", name: "db" }]);
    expect(storage.leftBehind()).toEqual([]);
    expectSuccess(await workspace.up());
    db = storage.object("db");
    expectSuccess(await workspace.preview("--expect-no-changes"));
    await scenario().expectNoChanges();
    storage.writeData(db, "precious");
  });

  test("grows in place", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume("db", "", 2));
    expect(await workspace.steps()).toEqual([{ op: "update", name: "db" }]);
    expectSuccess(await workspace.up());
    expect(storage.object("db").id).toBe(db.id);
    expect(storage.sizeOf(db)).toBe(2 * bytesPerGib);
    expect(storage.readData(db, 8)).toBe("precious");
  });

  test("is never shrunk: the preview says no, and which property", async () => {
    const { workspace, storage } = scenario();
    const before = storage.listing();
    workspace.program(volume("db", "", 1));
    const refused = await workspace.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toMatch(
      /size: Unable to shrink volume "db" from 2 to 1 GiB: .*only grow.*Write size = 2\./,
    );
    expect(storage.listing()).toEqual(before);
  });

  test("gets a snapshot, a larger volume from it, a clone, and attachments", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume("db", "", 2) + copies + attachments);
    expectSuccess(await workspace.up());
    await scenario().expectNoChanges();
    const [restored, clone] = [storage.object("restored"), storage.object("clone")];
    expect([restored, clone].map((copy) => storage.readData(copy, 8))).toEqual(["precious", "precious"]);
    expect([restored, clone].map((copy) => storage.sizeOf(copy) / bytesPerGib)).toEqual([3, 2]);
    expect(storage.readData(storage.object("first", "snapshot"), 8)).toBe("precious");
    expect((await workspace.resource("here")).outputs).toMatchObject({
      devicePath: storage.dataFile(clone),
      size: 2,
      mode: "rw",
    });
    const { outputs } = await workspace.resource("there");
    expect(outputs).toMatchObject({ connectionInfo: { driverVolumeType: "local" }, mode: "ro" });
    expect(outputs).not.toHaveProperty("devicePath");
    expect(restored.attachments).toMatchObject([{ connector: { host: "web1" } }]);
  });

  test("is detached, and the rest left alone", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume("db", "", 2) + copies);
    expect(await workspace.steps()).toEqual(
      expect.arrayContaining([
        { op: "delete", name: "here" },
        { op: "delete", name: "there" },
      ]),
    );
    expectSuccess(await workspace.up());
    expect(storage.objects().map(({ attachments: left }) => left)).toEqual([[], [], []]);
  });

  test("is renamed in place", async () => {
    const { workspace, storage } = scenario();
    const renamed = (volume("db", "", 2) + copies)
      .replace('name: "db"', 'name: "warehouse"')
      .replace('name: "first"', 'name: "baseline"');
    workspace.program(renamed + attachments);
    expect(
      await workspace.steps("--target-dependents", "--target", "**::db", "--target", "**::first"),
    ).toEqual(
      expect.arrayContaining([
        { op: "update", name: "db" },
        { op: "update", name: "first" },
      ]),
    );
    expectSuccess(await workspace.up());
    expect(storage.object("warehouse").id).toBe(db.id);
    expect(storage.names("snapshot")).toEqual(["baseline"]);
    expect(storage.readData(db, 8)).toBe("precious");
    await scenario().expectNoChanges();
  });

  test("everything is destroyed in the only order that works", async () => {
    const { workspace, storage } = scenario();
    expect(storage.object("clone").attachments).toHaveLength(1);
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});

describePulumi("replacing", () => {
  const scenario = useScenario();
  const from = (name: string, more = "") =>
    `${volume("a")}${volume("b")}
    ${volume("db", `source: { volumeId: ${name}.id }, ${more}`, null)}
    new breezeblock.Snapshot("kept", { name: "kept", volumeId: ${name}.id });`;
  let old: Sidecar;

  beforeAll(async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume("a") + volume("b"));
    expectSuccess(await workspace.up());
    for (const name of ["a", "b"]) storage.writeData(storage.object(name), `content of ${name}`);
    workspace.program(from("a"));
    expectSuccess(await workspace.up());
    old = storage.object("db");
    expect(storage.readData(old, 12)).toBe("content of a");
    // Previews from now on have nothing to write: what state holds is acknowledged.
    await scenario().expectNoChanges();
    await storage.acknowledged();
  });

  test("for another source is refused unless asked for", async () => {
    const { workspace, storage } = scenario();
    const before = storage.listing();
    workspace.program(from("b"));
    const refused = await workspace.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toMatch(/source: Unable to change the source of volume "db"/);
    workspace.program(from("b", 'onSourceChange: "keep"'));
    expect(await workspace.steps()).toContainEqual({ op: "update", name: "db" });
    expect(storage.listing()).toEqual(before);
  });

  test("is previewed without touching the old volume, and then makes the new one of the same name", async () => {
    const { workspace, storage } = scenario();
    const before = storage.listing();
    workspace.program(from("b", 'onSourceChange: "replace"'));
    expect(await workspace.steps()).toEqual(
      expect.arrayContaining([
        { op: "replace", name: "db" },
        { op: "replace", name: "kept" },
      ]),
    );
    expect(storage.listing()).toEqual(before);
    expectSuccess(await workspace.up());
    expect(storage.object("db").id).not.toBe(old.id);
    expect(storage.readData(storage.object("db"), 12)).toBe("content of b");
    // A snapshot of another volume is another snapshot.
    expect(storage.readData(storage.object("kept", "snapshot"), 12)).toBe("content of b");
    expect(storage.object("kept", "snapshot")["volumeId"]).toBe(storage.object("b").id);
    await scenario().expectNoChanges();
  });

  test("on command takes what depends on the volume along, and leaves the old alone until then", async () => {
    const { workspace, storage } = scenario();
    // What db depends on is what state says: Pulumi replaces it along with b until it has been told otherwise.
    workspace.program(from("b").replace("source: { volumeId: b.id },", "size: 1,"));
    expectSuccess(await workspace.up());
    await scenario().expectNoChanges();
    await storage.acknowledged();
    const before = { b: storage.object("b"), kept: storage.object("kept", "snapshot") };
    const listing = storage.listing();
    const { urn } = await workspace.resource("b");
    expect(await workspace.steps("--replace", urn)).toEqual(
      expect.arrayContaining([
        { op: "replace", name: "b" },
        { op: "replace", name: "kept" },
      ]),
    );
    expect(storage.listing()).toEqual(listing);
    expectSuccess(await workspace.up("--replace", urn));
    expect(storage.object("b").id).not.toBe(before.b.id);
    expect(storage.readData(storage.object("b"), 1)).toBe("\0");
    expect(storage.object("kept", "snapshot").id).not.toBe(before.kept.id);
    expect(storage.readData(storage.object("db"), 12)).toBe("content of b");
    await scenario().expectNoChanges();
  });

  test("of a protected volume is refused before anything is touched", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume("a", "deletionProtection: true"));
    expectSuccess(await workspace.up());
    const protectedVolume = storage.object("a");
    const { urn } = await workspace.resource("a");
    for (const result of [await workspace.up("--replace", urn), await workspace.destroy()]) {
      expect(result.exitCode).not.toBe(0);
      expect(errorsIn(result)).toMatch(/deletionProtection: .*protected.*deletionProtection = false/);
    }
    expect(storage.object("a").id).toBe(protectedVolume.id);
    expect(storage.readData(protectedVolume, 12)).toBe("content of a");
    workspace.program(volume("a"));
    expectSuccess(await workspace.up());
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});

describePulumi("drift, seen from a program in ES modules,", () => {
  const scenario = useScenario({ modules: "esm" });
  const program = (size = 1) => `
    ${volume("db", 'labels: { app: "postgres" }', size)}${volume("other")}${volume("lost")}
    new breezeblock.Snapshot("s", { name: "s", volumeId: other.id });
    new breezeblock.Attachment("a", { volumeId: other.id, connector: { host: "web1" }, mode: "ro" });`;

  beforeAll(async () => {
    const { workspace } = scenario();
    workspace.program(program());
    expectSuccess(await workspace.up());
    await scenario().expectNoChanges();
  });

  test("shows in previews, and is put right", async () => {
    const { workspace, storage } = scenario();
    const intact = storage.object("db");
    storage.writeData(intact, "precious");
    storage.edit(intact, { labels: { app: "mysql", more: "x" }, deletionProtection: true });
    storage.remove(storage.object("lost"));
    storage.remove(storage.object("s", "snapshot"));
    storage.edit(storage.object("other"), { attachments: [] });
    const before = storage.listing();

    expect((await workspace.preview("--refresh", "--expect-no-changes")).exitCode).toBe(unexpectedChanges);
    const steps = await workspace.steps("--refresh");
    expect(steps.filter(({ op }) => op !== "refresh")).toEqual(
      expect.arrayContaining([
        { op: "update", name: "db" },
        { op: "create", name: "lost" },
        { op: "create", name: "s" },
        { op: "create", name: "a" },
      ]),
    );
    const found = await workspace.refresh("--preview-only", "--diff", "--expect-no-changes");
    expect(found.exitCode).toBe(unexpectedChanges);
    expect(found.text).toMatch(/app *: "postgres" => "mysql"/);
    // Only the acknowledgement of what was created may have been written.
    expect(storage.listing()).toEqual(before);

    expectSuccess(await workspace.up("--refresh"));
    expect(storage.names()).toEqual(["db", "lost", "other"]);
    expect(storage.names("snapshot")).toEqual(["s"]);
    expect(storage.object("other").attachments).toHaveLength(1);
    expect(storage.object("db")).toMatchObject({
      id: intact.id,
      labels: { app: "postgres" },
      deletionProtection: false,
    });
    expect(storage.readData(intact, 8)).toBe("precious");
    await scenario().expectNoChanges();
  });

  test("of a volume grown by other means is refused with the size to write", async () => {
    const { workspace, storage } = scenario();
    storage.resize(storage.object("db"), 1.5 * bytesPerGib);
    for (const refused of [await workspace.preview("--refresh"), await workspace.up("--refresh")]) {
      expect(refused.exitCode).not.toBe(0);
      expect(errorsIn(refused)).toMatch(/size: .*Write size = 2\./);
    }
    workspace.program(program(2));
    expectSuccess(await workspace.up("--refresh"));
    await scenario().expectNoChanges();
    expect(storage.sizeOf(storage.object("db"))).toBe(1.5 * bytesPerGib);
  });

  test("of the default labels is spread to every object in place", async () => {
    const { workspace, storage } = scenario();
    scenario().configure({ defaultLabels: { team: "db" } });
    const ids = storage.objects().map(({ id }) => id);
    expectSuccess(await workspace.up());
    expect(storage.objects().map(({ id }) => id)).toEqual(ids);
    for (const object of [...storage.objects(), ...storage.objects("snapshot")]) {
      expect(object["defaultLabels"]).toEqual({ team: "db" });
    }
    await scenario().expectNoChanges();
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});

describePulumi("adopting", () => {
  const host = useHost();
  const owner = "acme/shop";
  const settings = { defaultLabels: { team: "db", app: "overruled" } };
  let first: Scenario;
  let second: Scenario;

  /** Everything that an adoption has to find out; `adopt` is what finds each object. */
  const program = (adopt: Readonly<Record<string, string>> = {}) => {
    const of = (name: string) => (adopt[name] === undefined ? "" : `adopt: "${adopt[name]}",`);
    return `
      ${volume("base", of("base"))}
      const s = new breezeblock.Snapshot("s", {
        name: "s", volumeId: base.id, labels: { kind: "golden" }, timeouts: { delete: "3m" }, ${of("s")}
      });
      ${volume(
        "db",
        `source: { snapshotId: s.id }, multiattach: true, provisioning: "thin",
         deletionProtection: false, labels: { app: "postgres", "über": "straße" },
         timeouts: { create: "90s", read: "1h30m" }, ${of("db")}`,
        2,
      )}
      new breezeblock.Attachment("a", { volumeId: db.id, host: "lab", mode: "ro", ${of("a")} });
      new breezeblock.Attachment("b", { volumeId: db.id, connector: { host: "web1", ip: "10.0.0.7" }, ${of("b")} });`;
  };

  beforeAll(async () => {
    first = await Scenario.open(host(), { owner });
    second = await Scenario.open(host(), { owner, storage: first.storage, project: "heir" });
    for (const scenario of [first, second]) scenario.configure(settings);
    first.workspace.program(program());
    expectSuccess(await first.workspace.up());
    await first.expectNoChanges();
  });

  afterAll(() => {
    first?.remove();
    second?.remove();
  });

  test("by name or UUID takes everything over as it is", async () => {
    const { storage, workspace } = second;
    storage.writeData(storage.object("db"), "precious");
    const ids = Object.fromEntries(
      (await first.workspace.resources()).map(({ urn, id }) => [urn.split("::").at(-1) ?? "", id ?? ""]),
    );
    const before = storage.listing();
    workspace.program(
      program({ base: "demo/base", s: "demo/s", db: ids["db"] ?? "", a: ids["a"] ?? "", b: ids["b"] ?? "" }),
    );
    expectSuccess(await workspace.preview());
    expect(storage.listing()).toEqual(before);
    expectSuccess(await workspace.up());
    expect(storage.listing()).toEqual(before);
    await second.expectNoChanges();
    expect(storage.readData(storage.object("db"), 8)).toBe("precious");
    for (const { urn, id } of await workspace.resources()) expect(id).toBe(ids[urn.split("::").at(-1) ?? ""]);
  });

  test("leaves nothing to do once `adopt` is taken out again", async () => {
    second.workspace.program(program());
    expectSuccess(await second.workspace.preview("--expect-no-changes"));
    await second.expectNoChanges();
    expect((await second.workspace.resource("db")).outputs).toMatchObject({
      labels: { app: "postgres", über: "straße" },
      labelsAll: { app: "postgres", team: "db", über: "straße" },
    });
  });

  describe("is refused in the preview", () => {
    test.each([
      ["of what is not there", "demo/nothing", /property adopt .*There is no such volume/],
      [
        "of an unknown UUID",
        "demo/00000000-0000-4000-8000-000000000000",
        /property adopt .*There is no such volume/,
      ],
      [
        "on an unknown backend",
        "elsewhere/db",
        /property adopt .*has no backend of that name; it has "demo"/,
      ],
      ["of what is no id", "db", /property adopt .*"<backend>\/<uuid>" or "<backend>\/<name>", not "db"/],
    ])("%s", async (_, adopt, reason) => {
      const scenario = first;
      const before = scenario.storage.listing();
      scenario.workspace.program(program() + volume("more", `adopt: "${adopt}"`));
      const refused = await scenario.workspace.preview();
      expect(refused.exitCode).not.toBe(0);
      expect(errorsIn(refused)).toMatch(reason);
      expect(scenario.storage.listing()).toEqual(before);
    });

    test("of what another owner made", async () => {
      second.configure({ ...settings, owner: "acme/thief" });
      const before = second.storage.listing();
      for (const adopt of ["demo/base", (await first.workspace.resource("base")).id ?? ""]) {
        second.workspace.program(volume("more", `adopt: "${adopt}"`));
        const refused = await second.workspace.preview();
        expect(refused.exitCode).not.toBe(0);
        expect(errorsIn(refused)).toMatch(
          /property adopt .*(belongs to owner "acme\/shop"|no such volume of owner "acme\/thief")/,
        );
      }
      expect(second.storage.listing()).toEqual(before);
      second.configure(settings);
    });
  });

  test("hands over what is destroyed by the heir only", async () => {
    expectSuccess(await second.workspace.destroy());
    expect(second.storage.leftBehind()).toEqual([]);
  });
});

describePulumi("names", () => {
  const scenario = useScenario();
  const twice = `
    new breezeblock.Volume("one", { name: "db", backend: "demo", size: 1 });
    new breezeblock.Volume("two", { name: "db", backend: "demo", size: 1 });`;

  test("that two resources share are refused in the preview", async () => {
    const { workspace, storage } = scenario();
    workspace.program(twice);
    const refused = await workspace.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toMatch(
      /property name .*Unable to create volume "db" twice: .*Another resource of this configuration/,
    );
    expect(storage.leftBehind()).toEqual([]);
  });

  test("that exist already are refused, and the volume that has it is left alone", async () => {
    const { workspace, storage } = scenario();
    workspace.program('new breezeblock.Volume("one", { name: "db", backend: "demo", size: 1 });');
    expectSuccess(await workspace.up());
    storage.writeData(storage.object("db"), "precious");
    const { id } = storage.object("db");
    workspace.program(twice);
    const refused = await workspace.up();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toMatch(/name: Unable to create volume "db": .*has that name already/);
    expect(storage.object("db").id).toBe(id);
    expect(storage.readData(storage.object("db"), 8)).toBe("precious");
  });

  test("of a resource that the program calls otherwise keep their volume: nothing is taken over and then deleted", async () => {
    const { workspace, storage } = scenario();
    expectSuccess(await workspace.destroy());
    workspace.program('new breezeblock.Volume("before", { name: "db", backend: "demo", size: 1 });');
    expectSuccess(await workspace.up());
    storage.writeData(storage.object("db"), "precious");
    const { id } = storage.object("db");
    // The engine creates the one before it deletes the other.
    workspace.program('new breezeblock.Volume("after", { name: "db", backend: "demo", size: 1 });');
    const refused = await workspace.up();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toMatch(/name: Unable to create volume "db": .*has that name already/);
    expect(storage.object("db").id).toBe(id);
    expect(storage.readData(storage.object("db"), 8)).toBe("precious");
  });

  test("that a prefix makes are new each time", async () => {
    const { workspace, storage } = scenario();
    workspace.program(
      ["one", "two"]
        .map(
          (label) => `new breezeblock.Volume("${label}", { namePrefix: "db-", backend: "demo", size: 1 });`,
        )
        .join("\n"),
    );
    expectSuccess(await workspace.up());
    expect(storage.names()).toHaveLength(2);
    for (const name of storage.names()) expect(name).toMatch(/^db/);
    await scenario().expectNoChanges();
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});
