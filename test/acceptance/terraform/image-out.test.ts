import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { titled } from "../../support/availability.ts";
import { beginningOf, diskContent, imageTools, sha256 } from "../../support/images.ts";
import { makeTempDirectory, removeDirectory } from "../../support/temp-directory.ts";
import { describeEngines, firstEngine, useSite } from "./scenario.ts";

const site = useSite();

type Written = Readonly<Record<string, string | boolean | number>>;

function block(type: string, name: string, written: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(written).map(([key, value]) => {
    const text = String(value);
    return `  ${key} = ${text.startsWith("breezeblock_") ? text : JSON.stringify(value).replaceAll('":', '"=')}\n`;
  });
  return `resource "breezeblock_${type}" "${name}" {\n${lines.join("")}}\n`;
}

const image = (name: string, written: Written): string => block("image", name, written);

describe.skipIf(!imageTools.available)(titled("images out", imageTools), () => {
  let files: string;
  let raw: string;
  let content: Buffer;
  const volume = () =>
    block("volume", "db", {
      name: "db",
      backend: "demo",
      size: 1,
      source: { image: { path: raw, format: "raw" } },
    });
  const snapshot = block("snapshot", "s", { name: "s", volume_id: "breezeblock_volume.db.id" });
  const attachment =
    'resource "breezeblock_attachment" "a" {\n  volume_id = breezeblock_volume.db.id\n  connector = { host = "web1" }\n}\n';

  beforeAll(() => {
    files = makeTempDirectory();
    raw = join(files, "disk.raw");
    content = diskContent();
    writeFileSync(raw, content);
  });
  afterAll(() => removeDirectory(files));

  /** Names in `files` that nothing has yet. */
  let names = 0;
  const fresh = (): string => {
    names += 1;
    return join(files, `out, ${names}.img`);
  };
  const halves = (): readonly string[] => readdirSync(files).filter((name) => name.endsWith(".part"));

  /** The content of an image of the whole volume. */
  function expectDisk(file: string, format: "raw" | "qcow2", disk: string): void {
    const plain = format === "raw" ? file : fresh();
    if (format === "qcow2") {
      expect(
        JSON.parse(execFileSync("qemu-img", ["info", "--output=json", file], { encoding: "utf8" })),
      ).toMatchObject({
        format: "qcow2",
      });
      execFileSync("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", file, plain]);
    }
    expect(() => execFileSync("cmp", [plain, disk], { encoding: "utf8" })).not.toThrow();
    if (format === "qcow2") rmSync(plain);
  }

  describeEngines((engine) => {
    test.each(["raw", "qcow2"] as const)(
      "image in, write, image out from a %s backend: byte by byte, to the storage host and to here",
      async (backendFormat) => {
        const run = site.scenario(engine);
        const { terraform, storage } = run;
        run.configure({
          backends: { demo: { host: "san1", file: { directory: storage.path, format: backendFormat } } },
        });
        run.write(volume());
        await terraform.applied();
        const data = storage.dataFile(storage.object("db"), backendFormat);
        const disk = fresh();
        execFileSync("qemu-io", ["-f", backendFormat, "-c", "write -P 0x5a 900M 1M", data]);
        execFileSync("qemu-img", ["convert", "-f", backendFormat, "-O", "raw", data, disk]);
        expect(beginningOf(disk, content.length).equals(content)).toBe(true);

        const wanted: readonly (readonly [
          name: string,
          place: "path" | "local_path",
          "raw" | "qcow2",
          boolean,
        ])[] = [
          ["there_raw", "path", "raw", false],
          ["here_qcow2", "local_path", "qcow2", true],
          ["there_qcow2", "path", "qcow2", false],
        ];
        const outs = wanted.map(([name, place, format, compressed]) => {
          const file = fresh();
          const source =
            place === "path"
              ? { volume_id: "breezeblock_volume.db.id" }
              : { snapshot_id: "breezeblock_snapshot.s.id" };
          const more = { format, ...(compressed && { compressed }), deletion_policy: "delete" };
          return { name, file, format, text: image(name, { ...source, [place]: file, ...more }) };
        });
        const all = [volume(), snapshot, ...outs.map(({ text }) => text)].join("");
        run.write(all);
        await terraform.applied();
        for (const { name, file, format } of outs) {
          expectDisk(file, format, disk);
          expect(await terraform.attributes(`breezeblock_image.${name}`)).toMatchObject({
            size: statSync(file).size,
            checksum: sha256(file),
          });
        }
        await terraform.expectNoChanges();
        expect(halves()).toEqual([]);
        expect(storage.object("db")["settings"]).not.toHaveProperty("copied_to");

        await terraform.destroyed();
        for (const { file } of outs) expect(existsSync(file)).toBe(false);
        expect(storage.leftBehind()).toEqual([]);
      },
      240_000,
    );
  });

  describeEngines((engine) => {
    const volumeId = { volume_id: "breezeblock_volume.db.id" };

    test("one source and one place; compression for qcow2 alone; nothing is written over", async () => {
      const run = site.scenario(engine);
      const { terraform } = run;
      const file = fresh();
      for (const [written, words] of [
        [{ format: "raw", path: file }, /needs volume_id or snapshot_id/],
        [{ ...volumeId, snapshot_id: "demo/x", format: "raw", path: file }, /Image with two sources|source/],
        [{ ...volumeId, format: "raw" }, /needs path or local_path/],
        [{ ...volumeId, format: "raw", path: file, local_path: file }, /Give one of path and local_path/],
        [{ ...volumeId, format: "raw", path: "out.img" }, /must be an absolute path/],
        [{ ...volumeId, format: "raw", path: file, compressed: true }, /Only qcow2 images can be compressed/],
      ] as const) {
        run.write(volume() + image("out", written));
        expect((await terraform.plan()).text).toMatch(words);
      }
      run.write(volume());
      await terraform.applied();
      writeFileSync(file, "precious");
      for (const place of ["path", "local_path"]) {
        run.write(volume() + image("out", { ...volumeId, format: "raw", [place]: file }));
        expect((await terraform.plan()).text).toMatch(/There\s+is\s+a\s+file[\s\S]*already/);
      }
      // At apply, where the plan could not look.
      run.write(volume());
      await terraform.destroyed();
      run.write(volume() + image("out", { ...volumeId, format: "raw", path: file }));
      const failed = await terraform.apply();
      expect(failed.exitCode).not.toBe(0);
      expect(failed.text).toMatch(/There\s+is\s+a\s+file[\s\S]*already/);
      expect(readFileSync(file, "utf8")).toBe("precious");
      expect(halves()).toEqual([]);
      run.write(volume());
      await terraform.destroyed();
      expect(run.storage.leftBehind()).toEqual([]);
    });

    test("a raw image is sent here whole", async () => {
      const run = site.scenario(engine);
      const file = fresh();
      run.write(volume() + image("out", { ...volumeId, format: "raw", local_path: file }));
      await run.terraform.applied();
      expectDisk(file, "raw", run.storage.dataFile(run.storage.object("db")));
      expect((await run.terraform.attributes("breezeblock_image.out"))["checksum"]).toBe(sha256(file));
      await run.terraform.destroyed();
      expect(existsSync(file)).toBe(true);
    }, 240_000);

    test("a volume that somebody may write to is refused, its snapshot is copied", async () => {
      const run = site.scenario(engine);
      const { terraform } = run;
      run.write(volume() + snapshot);
      await terraform.applied();
      run.write(volume() + snapshot + attachment);
      await terraform.applied();
      const file = fresh();
      run.write(
        volume() + snapshot + attachment + image("out", { ...volumeId, format: "qcow2", path: file }),
      );
      const failed = await terraform.apply();
      expect(failed.exitCode).not.toBe(0);
      expect(failed.text).toMatch(/attached\s+for\s+writing\s+to\s+"web1"/);
      expect(failed.text).toMatch(/breezeblock_snapshot/);
      expect(existsSync(file)).toBe(false);
      run.write(
        volume() +
          snapshot +
          attachment +
          image("out", { snapshot_id: "breezeblock_snapshot.s.id", format: "qcow2", path: file }),
      );
      await terraform.applied();
      expectDisk(file, "qcow2", run.storage.dataFile(run.storage.object("db")));
      await terraform.destroyed();
      expect(existsSync(file)).toBe(true);
    });

    test("what is gone is made anew; what differs is neither taken for it nor removed; retained files stay", async () => {
      const run = site.scenario(engine);
      const { terraform } = run;
      const [file, other] = [fresh(), fresh()];
      const out = (path: string, policy: string, format = "qcow2") =>
        volume() + image("out", { ...volumeId, format, path, deletion_policy: policy });
      run.write(out(file, "delete"));
      await terraform.applied();
      rmSync(file);
      expect(await terraform.actions()).toEqual({ "breezeblock_image.out": "create" });
      await terraform.applied();
      expectDisk(file, "qcow2", run.storage.dataFile(run.storage.object("db")));

      // In its own place, where the old one goes first.
      run.write(out(file, "delete", "raw"));
      await terraform.applied();
      expectDisk(file, "raw", run.storage.dataFile(run.storage.object("db")));
      await terraform.expectNoChanges();

      run.write(out(file, "retain", "raw"));
      await terraform.applied();
      run.write(out(file, "retain"));
      expect((await terraform.plan()).text).toMatch(/deletion_policy\s+is\s+"retain"/);
      run.write(out(other, "delete"));
      await terraform.applied();
      expect(existsSync(file)).toBe(true);

      const size = statSync(other).size;
      const descriptor = readFileSync(other);
      descriptor.write("changed", 0);
      writeFileSync(other, descriptor);
      expect(statSync(other).size).toBe(size);
      const refused = await terraform.destroy();
      expect(refused.exitCode).not.toBe(0);
      expect(refused.text).toMatch(/not\s+the\s+one\s+that\s+was\s+written/);
      expect(beginningOf(other, 7).toString()).toBe("changed");
      run.write(out(other, "retain"));
      await terraform.applied();
      await terraform.destroyed();
      expect(existsSync(other)).toBe(true);
      expect(run.storage.leftBehind()).toEqual([]);
    });
  }, firstEngine());
});
