import { describe, expect, onTestFinished, test } from "vitest";
import { serveForTest } from "../../providers/terraform/index.ts";
import { toyProvider } from "../../providers/terraform/testing/toy-provider.ts";
import { memoryStore } from "../../providers/terraform/testing/toy-store.ts";
import { findEngine } from "../support/engines.ts";
import { TerraformWorkspace, terraformEngines } from "../support/terraform.ts";

describe.each(terraformEngines)("%s", (engine) => {
  const found = findEngine(engine);

  async function workspace() {
    const store = memoryStore();
    const served = await serveForTest(toyProvider({ store }));
    onTestFinished(() => served.close());
    const terraform = new TerraformWorkspace({ engine, provider: { reattach: served.reattach } });
    return { terraform, store };
  }

  test.skipIf(!found.available)(`creates, leaves alone, updates, destroys ${found.reason}`, async () => {
    const { terraform, store } = await workspace();
    terraform.write('resource "breezeblock_thing" "a" {\n  name = "a"\n  size = 1\n}');
    await terraform.applied();
    expect(Object.values(store.all())).toMatchObject([{ name: "a", size: 1 }]);
    await terraform.expectNoChanges();
    await terraform.destroyed();
    expect(store.all()).toEqual({});
  });
});
