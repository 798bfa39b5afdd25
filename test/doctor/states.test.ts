import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { describeEngines, useSite } from "../acceptance/terraform/scenario.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { BuiltCommand, Doctor } from "./ground.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

/** A provider that does not end after each run acknowledges nothing: what it made looks as if a run were under way. */
const anyAge = ["--min-age", "0"];

let command: BuiltCommand;
beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterAll(() => command?.remove());

describe("states as the engines make them", () => {
  describeEngines((engine) => {
    const site = useSite();

    test("what was taken out of the state is an orphan, in the file and as show -json and state pull print it", async () => {
      const scenario = site.scenario(engine);
      scenario.write(`
        resource "breezeblock_volume" "all" {
          for_each = toset(["kept", "lost"])
          name     = each.key
          backend  = "demo"
          size     = 1
        }
        resource "breezeblock_snapshot" "kept" {
          volume_id = breezeblock_volume.all["kept"].id
          name      = "before"
        }
        resource "breezeblock_attachment" "kept" {
          volume_id = breezeblock_volume.all["kept"].id
          host      = "san1"
          depends_on = [breezeblock_snapshot.kept]
        }
        data "breezeblock_volume" "lost" {
          id = breezeblock_volume.all["lost"].id
        }
      `);
      await scenario.terraform.applied();
      const doctor = new Doctor(command, tempDirectory(), {
        ...{
          owner: "acme/test",
          hosts: { san1: scenario.host.settings },
          backends: { demo: scenario.backend() },
        },
      });
      const file = join(scenario.terraform.directory, "terraform.tfstate");
      expect(await doctor.report("--state", file)).toMatchObject({
        ...{ exitCode: 0, well: true, findings: [], in_progress: [] },
        states: [{ format: "terraform", objects: 4, problems: [] }],
      });
      const lost = `demo/${scenario.storage.object("lost").id}`;
      const removed = await scenario.terraform.run(["state", "rm", 'breezeblock_volume.all["lost"]']);
      expect(removed.exitCode, removed.text).toBe(0);
      const prints = [
        ["show", "-json"],
        ["state", "pull"],
      ];
      for (const args of prints) {
        const { stdout } = await scenario.terraform.run(args);
        const { stdout: printed } = await doctor.run(["--json", ...anyAge, "--state", "-"], stdout);
        expect(JSON.parse(printed)).toMatchObject({
          findings: [{ id: lost, kind: "volume", condition: "orphan" }],
        });
      }
      const gone = await doctor.report(...anyAge, "--state", file, "--remove", lost);
      expect(gone).toMatchObject({ exitCode: 0, removals: [{ id: lost, outcome: "removed" }] });
      expect(scenario.storage.names()).toEqual(["kept"]);
      // The plan of what is left is the same as before.
      expect((await doctor.report("--state", file)).findings).toEqual([]);
      await scenario.terraform.destroy();
    });
  });
});
