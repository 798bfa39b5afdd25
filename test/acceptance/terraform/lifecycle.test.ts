import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytesPerGib } from "../../../src/contract/index.ts";
import { outcomeOf } from "./diagnostics.ts";
import { describeEngines, useExecutable, useSite } from "./scenario.ts";

const site = useSite();
const executable = useExecutable();

/** A volume on `demo`; `more` says what else, and can say something else. */
function volume(label: string, more: string, size: number | null = 1): string {
  const sized = size === null ? "" : `  size    = ${size}\n`;
  return `resource "breezeblock_volume" "${label}" {\n  backend = "demo"\n${sized}  ${more}\n}\n`;
}

const db = (size = 1, more = "") => volume("db", `name = "db"\n  ${more}`, size);

describeEngines((engine) => {
  test("the executable carries volumes, snapshots and attachments through their lives", async () => {
    const { terraform, storage } = site.scenario(engine, { source: executable() });
    terraform.write(db());
    await terraform.applied();
    await terraform.expectNoChanges();
    const before = storage.object("db");
    storage.writeData(before, "precious");

    terraform.write(db(2));
    expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "update" });
    await terraform.applied();
    expect(storage.sizeOf(before)).toBe(2 * bytesPerGib);
    expect(storage.readData(before, 8)).toBe("precious");

    const whole = `${db(2)}
resource "breezeblock_snapshot" "first" {
  name      = "first"
  volume_id = breezeblock_volume.db.id
}
${volume("restored", `name = "restored"\n  source = { snapshot_id = breezeblock_snapshot.first.id }`, 3)}
${volume("clone", `name = "clone"\n  source = { volume_id = breezeblock_volume.db.id }`, null)}
resource "breezeblock_attachment" "here" {
  volume_id = breezeblock_volume.clone.id
  host      = "san1"
}
resource "breezeblock_attachment" "there" {
  volume_id = breezeblock_volume.restored.id
  connector = { host = "web1" }
  mode      = "ro"
}
`;
    terraform.write(whole);
    await terraform.applied();
    await terraform.expectNoChanges();
    const [restored, clone] = [storage.object("restored"), storage.object("clone")];
    expect([restored, clone].map((copy) => storage.readData(copy, 8))).toEqual(["precious", "precious"]);
    expect([restored, clone].map((copy) => storage.sizeOf(copy) / bytesPerGib)).toEqual([3, 2]);
    expect(storage.readData(storage.object("first", "snapshot"), 8)).toBe("precious");
    expect(await terraform.attributes("breezeblock_attachment.here")).toMatchObject({
      device_path: storage.dataFile(clone),
      size: 2,
      mode: "rw",
    });
    expect(await terraform.attributes("breezeblock_attachment.there")).toMatchObject({
      device_path: null,
      connection_info: { driver_volume_type: "local" },
      mode: "ro",
    });
    expect(restored.attachments).toMatchObject([{ connector: { host: "web1" } }]);

    // Detached, and the rest left alone.
    terraform.write(whole.replace(/resource "breezeblock_attachment"[\s\S]*$/, ""));
    expect(await terraform.actions()).toEqual({
      "breezeblock_attachment.here": "delete",
      "breezeblock_attachment.there": "delete",
    });
    await terraform.applied();
    expect(storage.objects().map(({ attachments }) => attachments)).toEqual([[], [], []]);

    // With everything there at once, only one order of destroying works.
    terraform.write(whole);
    await terraform.applied();
    await terraform.destroyed();
    expect(storage.leftBehind()).toEqual([]);
  });

  // Served for reattaching, a provider is not told how the engine ended: it could have been killed before it wrote its state.
  test.each([
    { how: "at the end of the run", source: () => executable() },
    { how: "by the next refresh", source: undefined },
  ])("what state holds is acknowledged on the host $how", async ({ source }) => {
    const { terraform, storage } = site.scenario(engine, source === undefined ? {} : { source: source() });
    terraform.write(`${db()}
resource "breezeblock_snapshot" "s" {
  name      = "s"
  volume_id = breezeblock_volume.db.id
}
resource "breezeblock_attachment" "a" {
  volume_id  = breezeblock_volume.db.id
  host       = "san1"
  depends_on = [breezeblock_snapshot.s]
}
`);
    await terraform.applied();
    if (source === undefined) {
      expect(storage.object("db").phase).toBe("unacknowledged");
      await terraform.expectNoChanges();
    }
    await storage.acknowledged();
    const settled = storage.listing();
    await terraform.expectNoChanges();
    expect(storage.listing()).toEqual(settled);
  });

  test("shrinking is refused at plan, with the size named", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(db(2));
    await terraform.applied();
    const before = storage.listing();
    terraform.write(db(1));
    const { exitCode, diagnostics } = await outcomeOf(terraform, "plan", "-refresh=false");
    expect(exitCode).toBe(1);
    expect(diagnostics).toEqual([
      {
        severity: "error",
        summary: 'Unable to shrink volume "db" from 2 to 1 GiB',
        detail: expect.stringMatching(/only grow.*Write size = 2\./),
        at: "size    = 1",
      },
    ]);
    expect(storage.listing()).toEqual(before);
  });

  test("a volume found larger than written is refused with the size to write", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(db());
    await terraform.applied();
    storage.resize(storage.object("db"), 1.5 * bytesPerGib);
    const { exitCode, diagnostics } = await outcomeOf(terraform, "plan");
    expect(exitCode).toBe(1);
    expect(diagnostics).toMatchObject([
      { detail: expect.stringContaining("Write size = 2."), at: "size    = 1" },
    ]);
    terraform.write(db(2));
    expect(await terraform.actions()).toEqual({});
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(storage.sizeOf(storage.object("db"))).toBe(1.5 * bytesPerGib);
    terraform.write(db(3));
    await terraform.applied();
    expect(storage.sizeOf(storage.object("db"))).toBe(3 * bytesPerGib);
    await terraform.expectNoChanges();
  });

  test("names change in place", async () => {
    const { terraform, storage } = site.scenario(engine);
    const named = (volumeName: string, snapshotName: string) => `${volume("db", `name = "${volumeName}"`)}
resource "breezeblock_snapshot" "s" {
  name      = "${snapshotName}"
  volume_id = breezeblock_volume.db.id
}
`;
    terraform.write(named("db", "before"));
    await terraform.applied();
    const { id } = storage.object("db");
    terraform.write(named("warehouse", "after"));
    expect(await terraform.actions()).toEqual({
      "breezeblock_volume.db": "update",
      "breezeblock_snapshot.s": "update",
    });
    await terraform.applied();
    expect(storage.object("warehouse").id).toBe(id);
    expect(storage.names("snapshot")).toEqual(["after"]);
    await terraform.expectNoChanges();
  });

  test("a volume takes a second attachment only with multiattach", async () => {
    const { terraform, storage } = site.scenario(engine);
    const attached = (multiattach: boolean) => `${db(1, `multiattach = ${multiattach}`)}
resource "breezeblock_attachment" "a" {
  volume_id = breezeblock_volume.db.id
  connector = { host = "web1" }
}
resource "breezeblock_attachment" "b" {
  volume_id  = breezeblock_volume.db.id
  connector  = { host = "web2" }
  depends_on = [breezeblock_attachment.a]
}
`;
    terraform.write(attached(false));
    const { exitCode, diagnostics } = await outcomeOf(terraform, "apply");
    expect(exitCode).toBe(1);
    expect(diagnostics).toMatchObject([
      {
        detail: expect.stringMatching(/attached to "web1" \(attachment .*multiattach = true/),
        at: "volume_id  = breezeblock_volume.db.id",
      },
    ]);
    expect(storage.object("db").attachments).toHaveLength(1);
    terraform.write(attached(true));
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(storage.object("db").attachments).toHaveLength(2);
    await terraform.destroyed();
    expect(storage.leftBehind()).toEqual([]);
  });

  describe("replacing", () => {
    test("because the user says -replace, and not before", async () => {
      const { terraform, storage } = site.scenario(engine);
      terraform.write(db());
      await terraform.applied();
      const old = storage.object("db");
      storage.writeData(old, "old");
      expect(await terraform.actions("-replace=breezeblock_volume.db")).toEqual({
        "breezeblock_volume.db": "delete,create",
      });
      expect(storage.readData(old, 3)).toBe("old");
      await terraform.applied("-replace=breezeblock_volume.db");
      const made = storage.object("db");
      expect(made.id).not.toBe(old.id);
      expect(storage.readData(made, 3)).toBe("\0\0\0");
      await terraform.expectNoChanges();
    });

    test("because the source changes and on_source_change says so", async () => {
      const { terraform, storage } = site.scenario(engine);
      const sources = ["a", "b"].map((name) => volume(name, `name = "${name}"`)).join("");
      const from = (name: string, more = "") =>
        `${sources}${volume("db", `name = "db"\n  source = { volume_id = breezeblock_volume.${name}.id }\n  ${more}`)}`;
      terraform.write(sources);
      await terraform.applied();
      for (const name of ["a", "b"]) storage.writeData(storage.object(name), `content of ${name}`);
      terraform.write(from("a"));
      await terraform.applied();
      const old = storage.object("db");
      expect(storage.readData(old, 12)).toBe("content of a");

      terraform.write(from("b"));
      const refused = await outcomeOf(terraform, "plan");
      expect(refused).toMatchObject({
        exitCode: 1,
        diagnostics: [{ at: "source = { volume_id = breezeblock_volume.b.id }" }],
      });
      terraform.write(from("b", 'on_source_change = "keep"'));
      expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "update" });
      terraform.write(from("b", 'on_source_change = "replace"'));
      expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "delete,create" });
      expect(storage.readData(old, 12)).toBe("content of a");
      await terraform.applied();
      expect(storage.readData(storage.object("db"), 12)).toBe("content of b");
      await terraform.expectNoChanges();
    });

    test("because the backend changes and on_backend_change says so", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      const other = site.host.newDirectory();
      const backends = { demo: scenario.backend(), other: scenario.backend(other) };
      scenario.configure({ backends });
      const on = (backend: string, more = "") =>
        `resource "breezeblock_volume" "db" {\n  name = "db"\n  size = 1\n  backend = "${backend}"\n  ${more}\n}`;
      terraform.write(on("demo"));
      await terraform.applied();
      const before = storage.listing();
      terraform.write(on("other"));
      const refused = await outcomeOf(terraform, "plan");
      expect(refused).toMatchObject({ exitCode: 1, diagnostics: [{ at: 'backend = "other"' }] });
      terraform.write(on("other", 'on_backend_change = "replace"'));
      expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "delete,create" });
      expect(storage.listing().filter((line) => line.includes("volume-"))).toEqual(
        before
          .filter((line) => line.includes(".raw"))
          .concat(storage.listing().filter((line) => line.includes(".json")))
          .sort(),
      );
      await terraform.applied();
      expect(storage.leftBehind()).toEqual([]);
      expect(other.names()).toEqual(["db"]);
      await terraform.expectNoChanges();

      // A backend that only has another name is the same one.
      scenario.configure({
        backends: { renamed: scenario.backend(other, { aliases: ["other"] }) },
      });
      terraform.write(on("renamed"));
      expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "update" });
      await terraform.applied();
      await terraform.expectNoChanges();
      expect(other.names()).toEqual(["db"]);
    });

    test("before destroying: the same name is refused, and the old volume not touched", async () => {
      const { terraform, storage } = site.scenario(engine);
      terraform.write(db(1, "lifecycle {\n    create_before_destroy = true\n  }"));
      await terraform.applied();
      const old = storage.object("db");
      storage.writeData(old, "old");
      for (const more of [["-refresh=false"], []]) {
        const replacing = ["-replace=breezeblock_volume.db", ...more];
        const { exitCode, diagnostics } = await outcomeOf(terraform, "apply", ...replacing);
        expect(exitCode).toBe(1);
        expect(diagnostics.at(-1)).toMatchObject({
          severity: "error",
          detail: expect.stringMatching(/has that name already.*name_prefix/),
          at: 'name = "db"',
        });
        expect(storage.object("db").id).toBe(old.id);
        expect(storage.readData(old, 3)).toBe("old");
        // Nor does the engine think that the old one is to go now.
        await terraform.expectNoChanges();
      }
    });

    test("before destroying: a snapshot is not taken up by its own replacement", async () => {
      const { terraform, storage } = site.scenario(engine);
      terraform.write(`${db()}
resource "breezeblock_snapshot" "s" {
  name      = "s"
  volume_id = breezeblock_volume.db.id
  lifecycle {
    create_before_destroy = true
  }
}
`);
      await terraform.applied();
      const old = storage.object("s", "snapshot");
      expect(old.phase).toBe("unacknowledged");
      const { exitCode, diagnostics } = await outcomeOf(
        terraform,
        "apply",
        "-refresh=false",
        "-replace=breezeblock_snapshot.s",
      );
      expect(exitCode).toBe(1);
      expect(diagnostics).toMatchObject([{ detail: expect.stringContaining("has that name already") }]);
      expect(storage.object("s", "snapshot").id).toBe(old.id);
      await terraform.expectNoChanges();
    });

    test("before destroying: with name_prefix the old volume is there until the new one is", async () => {
      const { terraform, storage } = site.scenario(engine);
      const prefixed = (check = "") =>
        volume("db", `name_prefix = "db-"\n  lifecycle {\n    create_before_destroy = true\n  }\n  ${check}`);
      terraform.write(prefixed());
      await terraform.applied();
      const [old] = storage.objects();
      if (old === undefined) throw new Error("Nothing was made.");
      expect(old.name).toMatch(/^db-[0-9a-f]{8}$/);
      // Runs after the new volume is made and before the old one goes.
      terraform.write(
        prefixed(
          `provisioner "local-exec" {\n    command = "test -e ${storage.dataFile(old)} && touch seen"\n  }`,
        ),
      );
      await terraform.applied("-replace=breezeblock_volume.db");
      expect(existsSync(`${terraform.directory}/seen`)).toBe(true);
      expect(storage.objects()).toHaveLength(1);
      expect(storage.objects()[0]?.id).not.toBe(old.id);
      await terraform.expectNoChanges();
    });

    test("a prefix that changes gives a new name in place", async () => {
      const { terraform, storage } = site.scenario(engine);
      terraform.write(volume("db", 'name_prefix = "one-"'));
      await terraform.applied();
      const [made] = storage.objects();
      terraform.write(volume("db", 'name_prefix = "two-"'));
      expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "update" });
      await terraform.applied();
      expect(storage.objects()).toMatchObject([{ id: made?.id, name: expect.stringMatching(/^two-/) }]);
      await terraform.expectNoChanges();
    });
  });

  test("two blocks of one name are refused at plan", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(`${volume("one", 'name = "db"')}${volume("two", 'name = "db"')}`);
    const { exitCode, diagnostics } = await outcomeOf(terraform, "plan");
    expect(exitCode).toBe(1);
    expect(diagnostics).toMatchObject([
      {
        summary: 'Unable to create volume "db" twice',
        detail: expect.stringContaining("Another resource of this configuration"),
        at: 'name = "db"',
      },
    ]);
    expect(storage.leftBehind()).toEqual([]);
    // The same with one of them there already, whatever was read of it.
    terraform.write(volume("one", 'name = "db"'));
    await terraform.applied();
    const before = storage.object("db");
    terraform.write(`${volume("one", 'name = "db"')}${volume("two", 'name = "db"')}`);
    for (const more of [["-refresh=false"], []]) {
      expect(await outcomeOf(terraform, "apply", ...more)).toMatchObject({
        exitCode: 1,
        diagnostics: [{ summary: 'Unable to create volume "db" twice', at: 'name = "db"' }],
      });
    }
    expect(storage.objects()).toMatchObject([{ id: before.id }]);
  });

  test("a resource never takes up the volume of another, however soon it comes", async () => {
    const { terraform, storage } = site.scenario(engine);
    const several = (count: number) => volume("db", `name_prefix = "db-"\n  count = ${count}`);
    terraform.write(several(1));
    await terraform.applied();
    terraform.write(several(2));
    // What is not targeted is not read, and stays unacknowledged.
    await terraform.applied("-target=breezeblock_volume.db[1]");
    expect(new Set((await terraform.state()).map(({ values }) => values["id"])).size).toBe(2);
    expect(storage.objects()).toHaveLength(2);
    // A name that moves from one resource to another.
    terraform.write(volume("old", 'name = "x"'));
    await terraform.applied();
    const old = storage.object("x");
    terraform.write(volume("new", 'name = "x"'));
    await terraform.apply("-refresh=false");
    await terraform.applied();
    expect(storage.object("x").id).not.toBe(old.id);
    await terraform.expectNoChanges();
  });

  describe("drift", () => {
    test("volumes, snapshots and attachments that are gone are made again", async () => {
      const { terraform, storage } = site.scenario(engine);
      terraform.write(`${db()}${volume("other", 'name = "other"')}
resource "breezeblock_snapshot" "s" {
  name      = "s"
  volume_id = breezeblock_volume.other.id
}
resource "breezeblock_attachment" "a" {
  volume_id  = breezeblock_volume.other.id
  connector  = { host = "web1" }
  mode       = "ro"
}
`);
      await terraform.applied();
      storage.remove(storage.object("db"));
      storage.remove(storage.object("s", "snapshot"));
      storage.edit(storage.object("other"), { attachments: [] });
      expect((await terraform.plan()).exitCode).toBe(2);
      expect(await terraform.actions()).toEqual({
        "breezeblock_volume.db": "create",
        "breezeblock_snapshot.s": "create",
        "breezeblock_attachment.a": "create",
      });
      await terraform.applied();
      await terraform.expectNoChanges();
      expect(storage.names()).toEqual(["db", "other"]);
    });

    test("labels and protection that were changed behind our back are put right", async () => {
      const { terraform, storage } = site.scenario(engine);
      terraform.write(`${db(1, 'labels = { app = "postgres" }')}
resource "breezeblock_snapshot" "s" {
  name      = "s"
  volume_id = breezeblock_volume.db.id
}
`);
      await terraform.applied();
      storage.edit(storage.object("db"), { labels: { app: "mysql", more: "x" }, deletionProtection: true });
      storage.edit(storage.object("s", "snapshot"), { labels: { stray: "x" } });
      expect((await terraform.plan()).exitCode).toBe(2);
      expect(await terraform.actions()).toEqual({
        "breezeblock_volume.db": "update",
        "breezeblock_snapshot.s": "update",
      });
      await terraform.applied();
      expect(storage.object("db")).toMatchObject({
        labels: { app: "postgres" },
        deletionProtection: false,
      });
      expect(storage.object("s", "snapshot").labels).toEqual({});
      await terraform.expectNoChanges();
    });

    test("a change of the default labels reaches every object in place", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      terraform.write(db(1, 'labels = { app = "postgres" }'));
      await terraform.applied();
      scenario.configure({ default_labels: { team: "db" } });
      expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "update" });
      await terraform.applied();
      expect(storage.object("db")).toMatchObject({
        labels: { app: "postgres" },
        defaultLabels: { team: "db" },
      });
      await terraform.expectNoChanges();
    });
  });

  test("a moved block changes nothing but the address", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(db());
    await terraform.applied();
    await terraform.expectNoChanges();
    const before = storage.object("db");
    terraform.write(
      `${volume("warehouse", 'name = "db"')}moved {\n  from = breezeblock_volume.db\n  to   = breezeblock_volume.warehouse\n}\n`,
    );
    expect(await terraform.actions()).toEqual({});
    await terraform.applied();
    expect(await terraform.attributes("breezeblock_volume.warehouse")).toMatchObject({
      id: `demo/${before.id}`,
    });
    await terraform.expectNoChanges();
  });

  test("a retained volume stays, is taken up by no create, and can be imported again", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(db(1, 'deletion_policy = "retain"'));
    await terraform.applied();
    const kept = storage.object("db");
    storage.writeData(kept, "kept");
    // It keeps its name, so that nothing can take its place under that.
    const replaced = await terraform.plan("-replace=breezeblock_volume.db");
    expect(replaced.exitCode).toBe(1);
    expect(replaced.text.replaceAll(/[\s│]+/g, " ")).toMatch(
      /Unable to replace volume "db".*stays on the backend with its name/,
    );
    await terraform.destroyed();
    expect(storage.object("db")).toMatchObject({ id: kept.id, phase: "retained" });
    expect(storage.readData(kept, 4)).toBe("kept");
    const refusal = { detail: expect.stringContaining('import it as "demo/db"'), at: 'name = "db"' };
    expect(await outcomeOf(terraform, "plan")).toMatchObject({
      exitCode: 2,
      diagnostics: [{ severity: "warning", ...refusal }],
    });
    expect(await outcomeOf(terraform, "apply")).toMatchObject({
      exitCode: 1,
      diagnostics: expect.arrayContaining([expect.objectContaining({ severity: "error", ...refusal })]),
    });
    expect((await terraform.import("breezeblock_volume.db", "demo/db")).exitCode).toBe(0);
    await terraform.expectNoChanges();
  });
});
