import { createHash } from "node:crypto";
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { supportsIdentity } from "../../support/terraform.ts";
import { describeEngines, firstEngine, type Scenario, type ScenarioOptions, useSite } from "./scenario.ts";

const site = useSite();
const oddSize = 3 * 2 ** 20 + 512;

const configuration = (more = "") => `
resource "breezeblock_volume" "db" {
  name    = "disk.img"
  size    = 1
  backend = "demo"
  ${more}
}
`;

/** What others see of a file: all but how many names it has, and when that changed. */
function fingerprint(path: string): unknown {
  const { ino, size, mtimeMs, mode, uid } = lstatSync(path);
  return {
    ino,
    size,
    mtimeMs,
    mode,
    uid,
    content: createHash("sha256").update(readFileSync(path)).digest("hex"),
  };
}

/** Of a file that is too large to be read whole. */
function textAt(path: string, offset: number, length: number): string {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(length);
    readSync(file, buffer, 0, length, offset);
    return buffer.toString("latin1");
  } finally {
    closeSync(file);
  }
}

describeEngines((engine) => {
  /** A directory that breezeblock knows (or not), with somebody's disk in it. */
  async function found(options: ScenarioOptions & { readonly isNew?: boolean } = {}) {
    const scenario = site.scenario(engine, options);
    if (options.isNew !== true) {
      scenario.write(
        'resource "breezeblock_volume" "other" {\n  name = "other"\n  size = 1\n  backend = "demo"\n}\n',
      );
      await scenario.terraform.applied();
      scenario.write("");
      await scenario.terraform.applied();
    }
    const path = `${scenario.storage.path}/disk.img`;
    const content = Buffer.alloc(oddSize);
    content.write("precious", 4096);
    writeFileSync(path, content);
    scenario.write(configuration());
    return {
      scenario,
      terraform: scenario.terraform,
      storage: scenario.storage,
      path,
      before: fingerprint(path),
    };
  }

  /** What the plan changes of each resource, by attribute. */
  async function changes({ terraform }: Pick<Scenario, "terraform">): Promise<unknown> {
    const { resource_changes: planned = [] } = await terraform.planned();
    return planned.map(({ change: { actions, before, after, after_unknown: unknown } }) => ({
      actions,
      changed: Object.keys({ ...before, ...after, ...(unknown as object) })
        .filter(
          (name) =>
            JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]) ||
            (unknown as Record<string, unknown>)?.[name] === true,
        )
        .map((name) => [name, before?.[name], after?.[name]]),
    }));
  }

  const claimedAlone = [{ actions: ["update"], changed: [["claimed", false, true]] }];

  test("by name, with `import`: the plan shows `claimed` alone, and is empty after it", async () => {
    const { scenario, terraform, storage, path, before } = await found();
    const listing = storage.listing();
    const { exitCode, text } = await terraform.import("breezeblock_volume.db", "demo/existing:disk.img");
    expect(exitCode, text).toBe(0);
    expect(storage.listing()).toEqual(listing);
    const { id } = await terraform.attributes("breezeblock_volume.db");
    expect(await changes(scenario)).toEqual(claimedAlone);
    expect(storage.listing()).toEqual(listing);
    await terraform.applied();
    expect(fingerprint(path)).toEqual(before);
    expect(await terraform.attributes("breezeblock_volume.db")).toMatchObject({
      id,
      claimed: true,
      size: 1,
      size_bytes: oddSize,
      provider_location: path,
      device_path: path,
    });
    await terraform.expectNoChanges();
    await terraform.expectNoChanges("-refresh=false");
    // Imported again, it is one of ours: by its name, its id, and what it was called.
    for (const reference of ["disk.img", String(id).slice("demo/".length), "existing:disk.img"]) {
      await terraform.run(["state", "rm", "breezeblock_volume.db"]);
      expect((await terraform.import("breezeblock_volume.db", `demo/${reference}`)).exitCode).toBe(0);
      await terraform.expectNoChanges();
    }
    // It grows from its odd size, with its content, as any other.
    scenario.write(configuration().replace("size    = 1", "size    = 2"));
    await terraform.applied();
    expect(lstatSync(path).size).toBe(2 * 2 ** 30);
    expect(textAt(path, 4096, 8)).toBe("precious");
    await terraform.destroyed();
    expect(storage.leftBehind()).toEqual([]);
  });

  test("with an import block, with other changes: one apply does it all, and `retain` gives it back as found", async () => {
    const { scenario, terraform, storage, path, before } = await found();
    terraform.write(
      'import {\n  to = breezeblock_volume.db\n  id = "demo/existing:disk.img"\n}\n',
      "imports.tf",
    );
    expect(await changes(scenario)).toEqual(claimedAlone);
    scenario.write(
      `${configuration('deletion_policy = "retain"\n  labels = { app = "postgres" }').replace('"disk.img"', '"db"')}
resource "breezeblock_attachment" "a" {
  volume_id = breezeblock_volume.db.id
  connector = { host = "web1" }
  mode      = "ro"
}
resource "breezeblock_snapshot" "s" {
  name       = "s"
  volume_id  = breezeblock_volume.db.id
  depends_on = [breezeblock_attachment.a]
}
resource "breezeblock_volume" "copy" {
  name    = "copy"
  size    = 1
  backend = "demo"
  source  = { volume_id = breezeblock_volume.db.id }
}
`,
    );
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(storage.object("db").labels).toEqual({ app: "postgres" });
    expect(fingerprint(path)).toEqual(before);
    await terraform.destroyed();
    expect(fingerprint(path)).toEqual(before);
    expect(lstatSync(path).nlink).toBe(1);
    expect(storage.leftBehind()).toEqual(["disk.img"]);
  });

  test("by resource identity, whose UUID the data source tells", async ({ skip }) => {
    skip(!supportsIdentity(engine), `left out: this ${engine} imports by id only`);
    const { scenario, terraform, path, before } = await found();
    scenario.write('data "breezeblock_volumes" "all" {\n  backend = "demo"\n}\n');
    await terraform.applied();
    const { volumes } = (await terraform.attributes("data.breezeblock_volumes.all")) as {
      volumes: readonly Readonly<Record<string, unknown>>[];
    };
    const [volume] = volumes;
    expect(volume).toMatchObject({
      status: "unmanaged",
      reference: "disk.img",
      size_bytes: oddSize,
      safe_to_manage: true,
      reason_not_safe: null,
      import_id: "demo/existing:disk.img",
    });
    const uuid = String(volume?.["id"]).slice("demo/".length);
    terraform.write(
      `import {\n  to = breezeblock_volume.db\n  identity = {\n    backend = "demo"\n    uuid = "${uuid}"\n  }\n}\n`,
      "imports.tf",
    );
    scenario.write(configuration());
    expect(await changes(scenario)).toEqual(claimedAlone);
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(fingerprint(path)).toEqual(before);
  });

  test("from a directory that breezeblock has never written to", async () => {
    const { scenario, terraform, storage, path, before } = await found({ isNew: true });
    expect((await terraform.import("breezeblock_volume.db", "demo/existing:disk.img")).exitCode).toBe(0);
    expect(storage.leftBehind()).toEqual(["disk.img"]);
    expect(await changes(scenario)).toEqual([
      {
        actions: ["update"],
        changed: [
          ["backend_identity", "", undefined],
          ["claimed", false, true],
        ],
      },
    ]);
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(fingerprint(path)).toEqual(before);
  });

  test("an unclaimed volume is only forgotten by a destroy", async () => {
    const { terraform, storage, path, before } = await found();
    await terraform.import("breezeblock_volume.db", "demo/existing:disk.img");
    await terraform.destroyed();
    expect(await terraform.state()).toEqual([]);
    expect(fingerprint(path)).toEqual(before);
    expect(storage.leftBehind()).toEqual(["disk.img"]);
  });
});

describeEngines((engine) => {
  test("the data source tells whose everything on a backend is", async () => {
    const of = (...names: readonly string[]) =>
      names
        .map(
          (name) =>
            `resource "breezeblock_volume" "${name}" {\n  name = "${name}"\n  size = 1\n  backend = "demo"\n}\n`,
        )
        .join("");
    const theirs = site.scenario(engine, { owner: "acme/theirs" });
    theirs.write(of("theirs"));
    await theirs.terraform.applied();
    const { storage } = theirs;
    const ours = site.scenario(engine, { storage });
    ours.write(
      of("kept", "lost") + of("given-up").replace("size = 1", 'size = 1\n  deletion_policy = "retain"'),
    );
    await ours.terraform.applied();
    await ours.terraform.run(["state", "rm", "breezeblock_volume.lost"]);
    ours.write(
      `${of("kept")}resource "breezeblock_snapshot" "s" {\n  name = "s"\n  volume_id = breezeblock_volume.kept.id\n}\n`,
    );
    await ours.terraform.applied();
    writeFileSync(`${storage.path}/disk.img`, Buffer.alloc(512));
    writeFileSync(`${storage.path}/notes.txt`, "not a disk");
    ours.write(
      `${of("kept")}resource "breezeblock_snapshot" "s" {\n  name = "s"\n  volume_id = breezeblock_volume.kept.id\n}
data "breezeblock_volumes" "all" {
  backend   = "demo"
  known_ids = [breezeblock_volume.kept.id]
}
data "breezeblock_volumes" "plain" {
  backend = "demo"
}
`,
    );
    await ours.terraform.applied();
    type Listed = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
    const all = (await ours.terraform.attributes("data.breezeblock_volumes.all")) as Listed;
    const ids = (name: string) => `demo/${storage.object(name).id}`;
    const rows = (all["volumes"] ?? []).map((row) => [
      row["name"] ?? row["reference"],
      row["status"],
      row["safe_to_manage"],
      row["import_id"],
    ]);
    expect(rows).toEqual([
      ["given-up", "retained", true, ids("given-up")],
      ["kept", "managed", true, ids("kept")],
      ["lost", "orphaned", true, ids("lost")],
      ["theirs", "foreign", false, null],
      ...[
        ["disk.img", "unmanaged", true, "demo/existing:disk.img"],
        ["notes.txt", "unmanaged", false, "demo/existing:notes.txt"],
      ],
    ]);
    expect(all["volumes"]?.[3]).toMatchObject({ reason_not_safe: 'belongs to owner "acme/theirs"' });
    expect(all["snapshots"]).toMatchObject([{ name: "s", status: "orphaned", volume_id: ids("kept") }]);
    const plain = (await ours.terraform.attributes("data.breezeblock_volumes.plain")) as Listed;
    expect(plain["volumes"]?.map(({ status }) => status)).toEqual([
      ...["retained", "managed", "managed", "foreign", "unmanaged", "unmanaged"],
    ]);
  });

  describe("is refused, with nothing touched,", () => {
    function planted(content: Buffer) {
      const scenario = site.scenario(engine);
      scenario.write(configuration());
      const path = `${scenario.storage.path}/disk.img`;
      writeFileSync(path, content);
      return { scenario, terraform: scenario.terraform, path };
    }

    test("of what is not there, naming what is", async () => {
      const { terraform } = planted(Buffer.alloc(512));
      const { exitCode, text } = await terraform.import("breezeblock_volume.db", "demo/existing:disk");
      expect(exitCode).toBe(1);
      expect(text).toContain('there are "disk.img"');
    });

    test("of what is no image", async () => {
      const { terraform } = planted(Buffer.from("text"));
      const { exitCode, text } = await terraform.import("breezeblock_volume.db", "demo/existing:disk.img");
      expect(exitCode).toBe(1);
      expect(text).toContain("is no disk image");
    });

    test("at plan, of a name that is taken; at apply, of what has become another file", async () => {
      const { scenario, terraform, path } = planted(Buffer.alloc(512));
      scenario.write(
        'resource "breezeblock_volume" "other" {\n  name = "disk.img"\n  size = 1\n  backend = "demo"\n}\n',
      );
      await terraform.applied();
      scenario.write(
        `${configuration()}\nresource "breezeblock_volume" "other" {\n  name = "disk.img"\n  size = 1\n  backend = "demo"\n}\n`,
      );
      await terraform.import("breezeblock_volume.db", "demo/existing:disk.img");
      const taken = await terraform.plan();
      expect(taken.exitCode).toBe(1);
      expect(taken.text).toMatch(/has that name already|same name on the same backend/);
      scenario.write(
        `${configuration().replace('"disk.img"', '"db"')}\nresource "breezeblock_volume" "other" {\n  name = "disk.img"\n  size = 1\n  backend = "demo"\n}\n`,
      );
      expect((await terraform.plan("-out=plan.bin")).exitCode).toBe(2);
      writeFileSync(`${path}.new`, Buffer.alloc(512));
      renameSync(`${path}.new`, path);
      const replaced = await terraform.run(["apply", "-no-color", "plan.bin"]);
      expect(replaced.exitCode).toBe(1);
      expect(replaced.text).toContain("not there any more");
      expect(scenario.storage.names()).toEqual(["disk.img"]);
      // It is gone, as a volume that was deleted: what is there now is another one.
      expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "create" });
    });

    test("a mount that is missing is not taken for a file that is gone", async () => {
      const { terraform, path } = planted(Buffer.alloc(512));
      await terraform.import("breezeblock_volume.db", "demo/existing:disk.img");
      rmSync(path);
      const { exitCode, text } = await terraform.plan();
      expect(exitCode).toBe(1);
      expect(text).toContain("has no identity");
    });
  });
}, firstEngine());
