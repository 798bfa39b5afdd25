import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { generateClasses } from "../../providers/pulumi/generate.ts";
import { toyProvider } from "../../providers/pulumi/testing/toy-provider.ts";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { expectSuccess, PulumiWorkspace } from "../support/pulumi.ts";
import { packPackage } from "../support/pulumi-package.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const pulumi = findEngine("pulumi");

/** A package of breezeblock's shape over the toy provider. */
async function toyPackage(): Promise<string> {
  const classes = join(tempDirectory(), "toy.ts");
  const base = repositoryFile("providers/pulumi/resource-class.ts");
  const frontDoor = `export { dynamicProvider } from ${JSON.stringify(base)};\n`;
  writeFileSync(classes, generateClasses(toyProvider(), base) + frontDoor);
  return packPackage({ classes, runtime: repositoryFile("providers/pulumi/testing/toy-serve.ts") });
}

it.skipIf(!pulumi.available)(
  titled("what was made before a create failed stays in state, and is replaced by the next update", pulumi),
  async () => {
    const workspace = await PulumiWorkspace.create({ tarball: await toyPackage() });
    try {
      workspace.program(
        `new (breezeblock as any).Box("box", { size: 1, secretCode: pulumi.secret("1234") });`,
      );

      const halfway = await workspace.run(["up", "--yes", "--skip-preview"], { TOY_FAILS_HALFWAY: "1" });
      expect(halfway.exitCode).not.toBe(0);
      expect(halfway.text).toContain('Unable to paint box "box-shelf/1": No paint.');
      expect(await workspace.resource("box")).toMatchObject({
        id: "shelf/1",
        outputs: { __unfinished: true },
      });
      expect(await workspace.export()).not.toContain("1234");

      expect((await workspace.steps()).map(({ op }) => op)).toContain("replace");
      expectSuccess(await workspace.up());
      const { outputs } = await workspace.resource("box");
      expect(outputs).not.toHaveProperty("__unfinished");
      expectSuccess(await workspace.preview("--expect-no-changes"));
    } finally {
      workspace.remove();
    }
  },
);
