import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../support/file-backend.ts";
import { StorageDirectory, StorageHost } from "../../support/storage.ts";
import { describeEngines, type Scenario, useSite } from "./scenario.ts";

const site = useSite();
let second: StorageHost;
beforeAll(async () => {
  second = await StorageHost.start();
});
afterAll(() => second.stop());

describeEngines((engine) => {
  /** A volume with data on backend `demo`, and a backend `other` on another host or the same, maybe of another format. */
  async function ground(format: "raw" | "qcow2" = "raw", host: "san1" | "san2" = "san2") {
    const run = site.scenario(engine);
    const there = new StorageDirectory((host === "san1" ? run.host : second).ssh.directory);
    const settings = {
      hosts: { san1: run.host.settings, san2: second.settings },
      backends: {
        demo: run.backend(),
        other: { host, file: { directory: there.path, format } },
      },
    };
    run.configure(settings);
    run.write(volume("demo"));
    await run.terraform.applied();
    const { id } = run.storage.object("db");
    run.storage.writeData(run.storage.object("db"), "what it held");
    return { run, there, id, settings };
  }

  const volume = (backend: string, more = "") =>
    `resource "breezeblock_volume" "db" {\n  name = "db"\n  size = 1\n  backend = "${backend}"\n  labels = { app = "db" }\n${more}\n}\n`;
  const migrate = '  on_backend_change = "migrate"';
  const snapshot = `resource "breezeblock_snapshot" "s" {\n  name = "s"\n  volume_id = breezeblock_volume.db.id\n}\n`;
  const database = "breezeblock_volume.db";

  async function expectMoved(run: Scenario, there: StorageDirectory, id: string): Promise<void> {
    await run.terraform.expectNoChanges();
    const state = await run.terraform.attributes(database);
    expect(state).toMatchObject({ id: `demo/${id}`, backend: "other", migration: null });
    expect(run.storage.leftBehind()).toEqual([]);
    expect(there.names()).toEqual(["db"]);
  }

  test("a changed backend is refused with the hint, and moves the volume with its data where that is allowed", async (context) => {
    needs("qcow2", context);
    const { run, there, id } = await ground("qcow2");
    const { terraform, storage } = run;
    run.write(volume("other"));
    const refused = await terraform.plan();
    expect(refused.text).toMatch(/on_backend_change = "migrate"/);
    run.write(volume("other", `${migrate}\n  deletion_protection = true`));
    expect(await terraform.actions()).toEqual({ [database]: "update" });
    await terraform.applied();
    await expectMoved(run, there, id);
    const file = there.dataFile(there.object("db"), "qcow2");
    execFileSync("qemu-img", ["convert", "-O", "raw", file, `${there.path}/plain`]);
    expect(readFileSync(`${there.path}/plain`).toString("latin1", 4096, 4108)).toBe("what it held");
    // What names the volume finds it, although its id names the backend that it comes from.
    execFileSync("rm", [`${there.path}/plain`]);
    const moved = `${volume("other", migrate)}${snapshot}data "breezeblock_volume" "d" {\n  id = breezeblock_volume.db.id\n}\n`;
    const beside =
      'resource "breezeblock_volume" "beside" {\n  name = "beside"\n  size = 1\n  scheduler_hints = { same_backend_as = [breezeblock_volume.db.id] }\n}\n';
    run.write(moved + beside);
    await terraform.applied();
    expect(there.names()).toEqual(["beside", "db"]);
    run.write(moved);
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(there.names("snapshot")).toEqual(["s"]);
    // The old backend can go from the configuration.
    run.configure({
      hosts: { san2: second.settings },
      backends: { other: { host: "san2", file: { directory: there.path, format: "qcow2" } } },
    });
    await terraform.expectNoChanges();
    await terraform.destroyed();
    expect([...storage.leftBehind(), ...there.leftBehind()]).toEqual([]);
  });

  test("snapshots and attachments do not move: the plan names them", async () => {
    const { run, there } = await ground();
    const { terraform, storage } = run;
    run.write(`${volume("demo")}${snapshot}`);
    await terraform.applied();
    const before = storage.listing();
    run.write(`${volume("other", migrate)}${snapshot}`);
    expect((await terraform.plan()).text).toMatch(/snapshot "s"[\s\S]*do\s+not\s+move/);
    const attachment =
      'resource "breezeblock_attachment" "a" {\n  volume_id = breezeblock_volume.db.id\n  connector = { host = "web1" }\n}\n';
    run.write(`${volume("demo")}${attachment}`);
    await terraform.applied();
    run.write(`${volume("other", migrate)}${attachment}`);
    expect((await terraform.plan()).text).toMatch(/attached to "web1"/);
    expect(there.leftBehind()).toEqual([]);
    expect(before.length).toBeGreaterThan(0);
  });

  test("a state that missed the end of a move finds the volume where it is", async () => {
    const { run, there, id } = await ground();
    const { terraform } = run;
    const before = terraform.read("terraform.tfstate");
    run.write(volume("other", migrate));
    await terraform.applied();
    terraform.write(before, "terraform.tfstate");
    await terraform.applied();
    await expectMoved(run, there, id);
    expect(there.readData(there.object("db"), 12)).toBe("what it held");
    terraform.write(before, "terraform.tfstate");
    await terraform.destroyed();
    expect(there.leftBehind()).toEqual([]);
  });

  test("an interrupted move shows in the next plan, whichever backend is written, and ends with it", async () => {
    const { run, there, id } = await ground();
    const { terraform, storage } = run;
    // Before anything is marked, the other storage has its identity.
    run.write(`${volume("demo")}${volume("other").replace('"db"', '"first"')}`);
    await terraform.applied();
    run.write(volume("demo"));
    await terraform.applied();
    storage.edit(storage.object("db"), { settings: { move: { to: "other", token: "00c0ffee" } } });
    expect(await terraform.actions()).toEqual({ [database]: "update" });
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(storage.object("db")["settings"]).toEqual({});
    storage.edit(storage.object("db"), { settings: { move: { to: "other", token: "00c0ffee" } } });
    run.write(volume("other", migrate));
    await terraform.applied();
    await expectMoved(run, there, id);
    // The old volume was not removed yet.
    there.edit(there.object("db"), {
      settings: { move: { from: "demo", token: "00c0ffee" }, birthplace: "demo" },
    });
    expect(await terraform.actions()).toEqual({ [database]: "update" });
    await terraform.applied();
    await expectMoved(run, there, id);
  });

  test("a moved volume is cloned, and snapshotted together with one of its new backend; imports find the same ids", async () => {
    const { run, there, id, settings } = await ground("raw", "san1");
    // What is made of it in the same plan goes where it will be.
    const along = `resource "breezeblock_volume" "along" {\n  name = "along"\n  source = { volume_id = breezeblock_volume.db.id }\n}\n`;
    run.write(`${volume("other", migrate)}${along.replace("  source", '  backend = "demo"\n  source')}`);
    expect((await run.terraform.plan()).text).toMatch(
      /that\s+the\s+same\s+plan\s+moves\s+to\s+backend\s+"other"/,
    );
    run.write(volume("other", migrate) + along);
    await run.terraform.applied();
    expect(there.names()).toEqual(["along", "db"]);
    await run.terraform.expectNoChanges();
    run.write(volume("other", migrate));
    await run.terraform.applied();
    const born = volume("other").replaceAll('"db"', '"log"');
    const clone = volume("other")
      .replaceAll('"db"', '"copy"')
      .replace("size = 1", "size = 1\n  source = { volume_id = breezeblock_volume.db.id }");
    const group =
      'resource "breezeblock_group_snapshot" "g" {\n  name = "g"\n  volume_ids = [breezeblock_volume.db.id, breezeblock_volume.log.id]\n}\n';
    const text = volume("other", migrate) + born + clone + group;
    run.write(text);
    await run.terraform.applied();
    await run.terraform.expectNoChanges();
    const ids = [`demo/${id}`, `other/${there.object("log").id}`];
    const snapshots = ["g-1", "g-2"].map((name) => `other/${there.object(name, "snapshot").id}`);
    const { snapshot_ids: made } = await run.terraform.attributes("breezeblock_group_snapshot.g");
    expect(made).toEqual(Object.fromEntries(ids.map((key, index) => [key, snapshots[index]])));

    const imported = site.scenario(engine, { storage: run.storage });
    imported.configure(settings);
    imported.write(text);
    for (const [address, reference] of [
      [database, "other/db"],
      ["breezeblock_volume.log", "other/log"],
      ["breezeblock_volume.copy", "other/copy"],
      ["breezeblock_group_snapshot.g", "other/g"],
    ] as const) {
      const { exitCode, text: output } = await imported.terraform.import(address, reference);
      expect(exitCode, output).toBe(0);
    }
    await imported.terraform.expectNoChanges();
    expect(await imported.terraform.attributes("breezeblock_volume.copy")).toMatchObject({
      source: { volume_id: ids[0] },
    });
    await imported.terraform.destroyed();
    expect(there.leftBehind()).toEqual([]);
  });
});
