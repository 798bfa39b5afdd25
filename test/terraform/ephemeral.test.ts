import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveForTest } from "../../providers/terraform/index.ts";
import { toyProvider } from "../../providers/terraform/testing/toy-provider.ts";
import { findEngine } from "../support/engines.ts";
import { TerraformWorkspace, terraformEngines } from "../support/terraform.ts";

const secret = (length: string) => `
ephemeral "breezeblock_secret" "s" {
  length = ${length}
  lifecycle {
    postcondition {
      condition     = self.text == "xxxxx"
      error_message = "It is not what was asked for."
    }
  }
}
resource "breezeblock_thing" "a" {
  name = "a"
  size = 5
}
`;

describe.each(terraformEngines)("with %s", (engine) => {
  const found = findEngine(engine);
  const testWithEngine = test.skipIf(!found.available);

  testWithEngine(
    `what is ephemeral is read in plan and apply, and kept nowhere ${found.reason}`,
    async () => {
      const served = await serveForTest(toyProvider());
      onTestFinished(() => served.close());
      const terraform = new TerraformWorkspace({ engine, provider: { reattach: served.reattach } });
      terraform.write(secret("5"));
      await terraform.applied();
      // Terraform 1.11 cannot show a state with a condition of what is ephemeral.
      const state = readFileSync(join(terraform.directory, "terraform.tfstate"), "utf8");
      expect(state).toContain("breezeblock_thing");
      expect(state).not.toContain("xxxxx");
      terraform.write(secret("breezeblock_thing.a.size"));
      await terraform.expectNoChanges();
      terraform.write(secret("6"));
      expect((await terraform.apply()).text).toContain("It is not what was asked for.");
      terraform.write(secret("0"));
      expect((await terraform.apply()).text).toContain("It must not be 0.");
    },
  );
});
