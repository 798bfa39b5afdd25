import { createHash } from "node:crypto";
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { expectSuccess } from "../../support/pulumi.ts";
import { describePulumi, useScenario } from "./scenario.ts";

const oddSize = 3 * 2 ** 20 + 512;

/** What others see of a file: all but how many names it has, and when that changed. */
function fingerprint(path: string): unknown {
  const { ino, size, mtimeMs, mode } = lstatSync(path);
  return { ino, size, mtimeMs, mode, content: createHash("sha256").update(readFileSync(path)).digest("hex") };
}

const volume = (more: string) =>
  `const db = new breezeblock.Volume("db", { name: "db", size: 1, backend: "demo", ${more} });\nexport const claimed = db.claimed;`;

describePulumi("a disk that others made", () => {
  const scenario = useScenario();
  let path: string;
  let before: unknown;

  beforeAll(() => {
    path = `${scenario().storage.path}/disk.img`;
    writeFileSync(path, Buffer.alloc(oddSize, "precious"));
    before = fingerprint(path);
  });

  test("is adopted: the preview says so, and changes nothing", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume('adopt: "demo/existing:disk.img", deletionPolicy: "retain"'));
    const { text } = expectSuccess(await workspace.preview());
    expect(text).toMatch(/demo\/existing:disk\.img is adopted, not created.*claimed/);
    expect(storage.leftBehind()).toEqual(["disk.img"]);
    expectSuccess(await workspace.up());
    expect(fingerprint(path)).toEqual(before);
    expect(await workspace.outputs()).toEqual({ claimed: true });
    expect((await workspace.resource("db")).outputs).toMatchObject({
      sizeBytes: oddSize,
      providerLocation: path,
    });
    await scenario().expectNoChanges();
  });

  test("stays as it is when `adopt` is taken out, and is given back by a destroy that retains it", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume('deletionPolicy: "retain"'));
    expectSuccess(await workspace.up());
    await scenario().expectNoChanges();
    expectSuccess(await workspace.destroy());
    expect(fingerprint(path)).toEqual(before);
    expect(storage.leftBehind()).toEqual(["disk.img"]);
  });

  test("is looked for by its name, and what is there is told", async () => {
    const { workspace } = scenario();
    workspace.program(volume('adopt: "demo/existing:disk"'));
    const { text, exitCode } = await workspace.preview();
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/property adopt .*there are "disk\.img"/);
  });

  test("is deleted by a destroy where the policy is to delete", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume('adopt: "demo/existing:disk.img"'));
    expectSuccess(await workspace.up());
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});
