import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "../../support/images.ts";
import { expectSuccess } from "../../support/pulumi.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { describePulumi, errorsIn, useScenario } from "./scenario.ts";

describePulumi("images of volumes", () => {
  const scenario = useScenario();

  test("a volume is copied out to the host, once; another source goes into the same place; nothing is written over", async () => {
    const { workspace, storage } = scenario();
    const file = join(tempDirectory(), "out.img");
    const volume =
      'const db = new breezeblock.Volume("db", { backend: "demo", name: "db", size: 1 });\nconst s = new breezeblock.Snapshot("s", { volumeId: db.id });\n';
    const image = (source: string, name = "out") =>
      `new breezeblock.Image("${name}", { ${source}, format: "raw", path: "${file}", deletionPolicy: "delete" });\n`;
    workspace.program(volume + image("volumeId: db.id"));
    expectSuccess(await workspace.up());
    execFileSync("cmp", [file, storage.dataFile(storage.object("db"))]);
    await scenario().expectNoChanges();
    workspace.program(volume + image("snapshotId: s.id"));
    expectSuccess(await workspace.up());
    await scenario().expectNoChanges();
    expect(existsSync(file)).toBe(true);
    workspace.program(volume + image("snapshotId: s.id") + image("volumeId: db.id", "second"));
    const refused = await workspace.up();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toMatch(/There is a file .* already/);
    workspace.program(volume + image("snapshotId: s.id"));
    expectSuccess(await workspace.up());

    const checksum = sha256(file);
    writeFileSync(file, "another");
    workspace.program(volume);
    const kept = await workspace.up();
    expect(kept.exitCode).not.toBe(0);
    expect(errorsIn(kept)).toMatch(/is not the one that was written/);
    expect(checksum).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(readdirSync(join(file, "..")).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
