import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { beginningOf, diskContent, sha256 } from "../../support/images.ts";
import { expectSuccess } from "../../support/pulumi.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { describePulumi, errorsIn, useScenario } from "./scenario.ts";

describePulumi("volumes of images", () => {
  const scenario = useScenario();

  test("a volume is filled from a file of this machine, and then there is nothing to do; a wrong checksum leaves none", async () => {
    const { workspace, storage } = scenario();
    const file = join(tempDirectory(), "disk.raw");
    const content = diskContent();
    writeFileSync(file, content);
    const volume = (name: string, checksum: string) =>
      `new breezeblock.Volume("${name}", { backend: "demo", name: "${name}", source: { image: { localPath: "${file}", format: "raw", checksum: "${checksum}" } } });\n`;
    const root = volume("root", sha256(file));
    workspace.program(root);
    expectSuccess(await workspace.up());
    const data = storage.dataFile(storage.object("root"));
    expect(beginningOf(data, content.length).equals(content)).toBe(true);
    await scenario().expectNoChanges();
    workspace.program(root + volume("wrong", `sha256:${"0".repeat(64)}`));
    const failed = await workspace.up();
    expect(failed.exitCode).not.toBe(0);
    expect(errorsIn(failed)).toMatch(/its sha256 checksum is/);
    expect(storage.names()).toEqual(["root"]);
    expect(storage.leftBehind()).toHaveLength(2);
  });
});
