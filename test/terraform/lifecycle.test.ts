import { describe, expect, onTestFinished, test } from "vitest";
import { emitSchemaJson, serveForTest } from "../../providers/terraform/index.ts";
import { toyProvider } from "../../providers/terraform/testing/toy-provider.ts";
import { memoryStore } from "../../providers/terraform/testing/toy-store.ts";
import { findEngine } from "../support/engines.ts";
import {
  registryOf,
  storedState,
  supportsIdentity,
  TerraformWorkspace,
  terraformEngines,
} from "../support/terraform.ts";

/** Every kind of attribute. */
const everything = `
resource "breezeblock_thing" "a" {
  name      = "a"
  size      = 2
  ratio     = 0.1
  enabled   = false
  labels    = { x = "y", "__proto__" = "z", "k é" = "ünï %% \\n" }
  tags      = ["b", "a"]
  connector = { initiator = "iqn" }
  ports     = { http = { number = 80 }, "s s" = { number = 443, secure = true } }
  rules     = [{ action = "deny" }, { action = "allow" }]
  timeouts  = { create = "1m" }
}
`;

const simple = (attributes: string) => `resource "breezeblock_thing" "a" {\n${attributes}\n}\n`;

describe.each(terraformEngines)("with %s", (engine) => {
  const found = findEngine(engine);
  const testWithEngine = test.skipIf(!found.available);

  async function workspace() {
    const store = memoryStore();
    const served = await serveForTest(toyProvider({ store }));
    onTestFinished(() => served.close());
    const terraform = new TerraformWorkspace({
      engine,
      provider: { reattach: alsoKnownAs("mirror.example", served.reattach) },
    });
    return { terraform, store, only: () => Object.values(store.all())[0] ?? {} };
  }

  testWithEngine(
    `a resource is made, left alone, changed, replaced and destroyed ${found.reason}`,
    async () => {
      const { terraform, store, only } = await workspace();
      terraform.write(everything);
      expect(await terraform.actions()).toEqual({ "breezeblock_thing.a": "create" });
      await terraform.applied();
      const { id } = only();
      expect(only()).toMatchObject({
        ratio: 0.1,
        enabled: false,
        tags: ["b", "a"],
        ports: { http: { number: 80, secure: false }, "s s": { number: 443, secure: true } },
        region: "here",
      });
      expect(Object.entries(only()["labels"] ?? {}).sort()).toEqual([
        ["__proto__", "z"],
        ["k é", "ünï %% \n"],
        ["x", "y"],
      ]);
      await terraform.expectNoChanges();

      terraform.write(everything.replace("size      = 2", "size      = 3").replace('"deny"', '"allow"'));
      expect(await terraform.actions()).toEqual({ "breezeblock_thing.a": "update" });
      await terraform.applied();
      expect(only()).toMatchObject({
        id,
        size: 3,
        revision: 2,
        rules: [{ action: "allow" }, { action: "allow" }],
      });
      await terraform.expectNoChanges();

      terraform.write(everything.replace("size      = 2", 'size      = 3\nflavour   = "fancy"'));
      expect(await terraform.planned()).toMatchObject({
        resource_changes: [{ change: { actions: ["delete", "create"], replace_paths: [["flavour"]] } }],
      });
      await terraform.applied();
      expect(only()["id"]).not.toBe(id);
      expect(only()).toMatchObject({ flavour: "fancy", size: 3 });
      await terraform.expectNoChanges();

      await terraform.destroyed();
      expect(store.all()).toEqual({});
    },
  );

  testWithEngine(`drift is shown and repaired ${found.reason}`, async () => {
    const { terraform, store, only } = await workspace();
    terraform.write(simple('name = "a"\nsize = 1\nlabels = { a = "b" }'));
    await terraform.applied();
    const id = String(only()["id"]);
    store.put(id, { ...only(), labels: { a: "c" } });
    expect(await terraform.actions()).toEqual({ "breezeblock_thing.a": "update" });
    await terraform.applied();
    expect(only()["labels"]).toEqual({ a: "b" });
    store.remove(id);
    expect(await terraform.actions()).toEqual({ "breezeblock_thing.a": "create" });
  });

  testWithEngine(
    `a create that stops half-way is kept as tainted, and made anew ${found.reason}`,
    async () => {
      const { terraform, only } = await workspace();
      terraform.write(
        simple('name = "a"\nsize = 1\nconnector = { initiator = "x" }\nbehaviour = "fail_create"'),
      );
      const failed = await terraform.apply();
      expect(failed.exitCode).toBe(1);
      expect(failed.text).toMatch(
        /Unable to finish the thing[\s\S]*the toy was told to fail\. Tell it otherwise\./,
      );
      // The place in the configuration, by its attribute path.
      expect(failed.text).toMatch(/on main\.tf line \d+, in resource "breezeblock_thing" "a"/);
      const [kept] = await terraform.state();
      expect(kept).toMatchObject({ tainted: true, values: { id: only()["id"] } });
      terraform.write(simple('name = "a"\nsize = 1'));
      expect(await terraform.actions()).toEqual({ "breezeblock_thing.a": "delete,create" });
      await terraform.applied();
      await terraform.expectNoChanges();
    },
  );

  testWithEngine(`bad input is refused at plan with its place ${found.reason}`, async () => {
    const { terraform, store } = await workspace();
    terraform.write(simple('name = ""\nsize = 1.5\nrules = [{ action = "shrug" }]'));
    const { exitCode, text } = await terraform.validate();
    expect(exitCode).toBe(1);
    expect(text).toMatch(/Invalid name/);
    expect(text).toMatch(/It must be a whole number, not 1\.5/);
    expect(text).toMatch(/Invalid rules\[0\]\.action/);
    terraform.write(simple('name = "a"\nsize = 9007199254740993'));
    expect((await terraform.plan()).text).toMatch(/9007199254740993 cannot be held exactly/);
    terraform.write(simple('name = "a"\nsize = 2'));
    await terraform.applied();
    terraform.write(simple('name = "a"\nsize = 1'));
    const shrunk = await terraform.plan();
    expect(shrunk.exitCode).toBe(1);
    expect(shrunk.text).toMatch(
      /line 3, in resource[\s\S]*Unable to shrink thing "a"|Unable to shrink thing "a"[\s\S]*line 3/,
    );
    expect(Object.values(store.all())).toMatchObject([{ size: 2 }]);
  });

  testWithEngine(`what is not known at plan is checked when it is ${found.reason}`, async () => {
    const { terraform } = await workspace();
    const unknown = (name: string) =>
      `resource "terraform_data" "d" {\n  input = "${name}"\n}\n` +
      simple('name = terraform_data.d.output\nsize = 13\nenabled = terraform_data.d.output == "off"');
    terraform.write(unknown("on"));
    expect((await terraform.plan()).exitCode).toBe(2);
    const applied = await terraform.apply();
    expect(applied.exitCode, applied.text).toBe(0);
    terraform.write(simple('name = "a"\nsize = 13\nenabled = true'));
    expect((await terraform.plan()).text).toMatch(/13 is only for things that are off/);
  });

  testWithEngine(
    `what exists is imported by id and by name, with and without a configuration ${found.reason}`,
    async () => {
      const first = await workspace();
      first.terraform.write(everything);
      await first.terraform.applied();
      const id = String(first.only()["id"]);

      const { terraform, store } = await workspace();
      store.put(id, first.only());
      // Timeouts are the configuration's own, and nothing to find on a backend.
      terraform.write(everything.replace(/ +timeouts .*\n/, ""));
      const imported = await terraform.import("breezeblock_thing.a", id);
      expect(imported.exitCode, imported.text).toBe(0);
      await terraform.expectNoChanges();

      const { terraform: other, store: otherStore } = await workspace();
      // OpenTofu 1.12 writes the keys of nested maps without the quotes that this one would need.
      otherStore.put(id, { ...first.only(), ports: { http: { number: 80, secure: false } } });
      other.write('import {\n  to = breezeblock_thing.b\n  id = "a"\n}\n');
      const generated = await other.run(["plan", "-no-color", "-generate-config-out=generated.tf"]);
      expect(generated.exitCode, generated.text).toBe(0);
      expect(generated.text).toMatch(/1 to import, 0 to add, 0 to change, 0 to destroy/);
      await other.applied();
      await other.expectNoChanges();
      expect(await other.attributes("breezeblock_thing.b")).toMatchObject({ id, name: "a" });

      expect((await other.import("breezeblock_thing.c", "nothing")).text).toMatch(
        /resource address "breezeblock_thing.c" does not exist|Unable to import thing "nothing"/,
      );
    },
  );

  const byIdentity = found.available && supportsIdentity(engine);
  test.skipIf(!byIdentity)(
    `what exists is imported by its identity ${byIdentity ? "" : `left out: ${engine} has no identities or is missing`}`,
    async () => {
      const { terraform, store } = await workspace();
      store.put("x-1", {
        id: "x-1",
        name: "a",
        size: 1,
        flavour: "plain",
        enabled: true,
        region: "here",
        revision: 1,
      });
      terraform.write(
        `import {\n  to = breezeblock_thing.a\n  identity = {\n    thing_id = "x-1"\n  }\n}\n${simple('name = "a"\nsize = 1')}`,
      );
      await terraform.applied();
      await terraform.expectNoChanges();
      expect(await terraform.attributes("breezeblock_thing.a")).toMatchObject({ id: "x-1" });
    },
  );

  testWithEngine(
    `a resource is renamed in the configuration without being touched ${found.reason}`,
    async () => {
      const { terraform, only } = await workspace();
      terraform.write(simple('name = "a"\nsize = 1'));
      await terraform.applied();
      const { id } = only();
      terraform.write(
        'moved {\n  from = breezeblock_thing.a\n  to = breezeblock_thing.b\n}\nresource "breezeblock_thing" "b" {\n  name = "a"\n  size = 1\n}\n',
      );
      expect(await terraform.actions()).toEqual({});
      await terraform.applied();
      expect(await terraform.attributes("breezeblock_thing.b")).toMatchObject({ id });
    },
  );

  testWithEngine(`a state of an older version is brought to this one ${found.reason}`, async () => {
    const { terraform, store } = await workspace();
    const thing = { id: "x-1", size: 1, flavour: "plain", enabled: true, region: "here", revision: 1 };
    store.put("x-1", { ...thing, name: "a" });
    terraform.write(
      storedState(registryOf(engine), { ...thing, title: "a", long_gone: [1] }, 0),
      "terraform.tfstate",
    );
    terraform.write(simple('name = "a"\nsize = 1'));
    await terraform.expectNoChanges();
  });

  testWithEngine(`a state of this provider under another address is taken over ${found.reason}`, async () => {
    const { terraform, store } = await workspace();
    const thing = {
      id: "x-1",
      name: "a",
      size: 1,
      flavour: "plain",
      enabled: true,
      region: "here",
      revision: 1,
    };
    store.put("x-1", thing);
    terraform.write(storedState("mirror.example", thing, 1), "terraform.tfstate");
    terraform.write(
      'moved {\n  from = breezeblock_thing.a\n  to = breezeblock_thing.b\n}\nresource "breezeblock_thing" "b" {\n  name = "a"\n  size = 1\n}\n',
    );
    expect(await terraform.actions()).toEqual({});
    await terraform.applied();
    expect(await terraform.attributes("breezeblock_thing.b")).toMatchObject(thing);
    expect(terraform.read("terraform.tfstate")).not.toMatch(/mirror\.example/);
  });

  testWithEngine(`settings may be unknown until apply ${found.reason}`, async () => {
    const { terraform } = await workspace();
    const settings = (path: string) =>
      `resource "terraform_data" "host" {\n  input = "${terraform.directory}/${path}"\n}\n` +
      'provider "breezeblock" {\n  path = terraform_data.host.output\n}\n' +
      simple('name = "a"\nsize = 1');
    terraform.write(settings("first.json"));
    expect(await terraform.actions()).toMatchObject({ "breezeblock_thing.a": "create" });
    await terraform.applied();
    expect(JSON.parse(terraform.read("first.json"))).toMatchObject({});
    await terraform.expectNoChanges();
    // Now there is state that cannot be refreshed.
    terraform.write(settings("second.json"));
    expect(await terraform.actions()).toEqual({ "terraform_data.host": "update" });
  });

  testWithEngine(`two configurations of the provider do not mix ${found.reason}`, async () => {
    const { terraform } = await workspace();
    terraform.write(
      `provider "breezeblock" {\n  path = "${terraform.directory}/one.json"\n}\n` +
        `provider "breezeblock" {\n  alias = "two"\n  path = "${terraform.directory}/two.json"\n}\n` +
        'resource "breezeblock_thing" "one" {\n  name = "one"\n  size = 1\n}\n' +
        'resource "breezeblock_thing" "two" {\n  provider = breezeblock.two\n  name = "two"\n  size = 2\n}\n' +
        'data "breezeblock_things" "two" {\n  provider = breezeblock.two\n  depends_on = [breezeblock_thing.two]\n}\n',
    );
    await terraform.applied();
    expect(Object.values(JSON.parse(terraform.read("one.json")) as object)).toMatchObject([{ name: "one" }]);
    expect(Object.values(JSON.parse(terraform.read("two.json")) as object)).toMatchObject([{ name: "two" }]);
    expect(await terraform.attributes("data.breezeblock_things.two")).toMatchObject({
      names: ["two"],
      count: 1,
    });
    await terraform.expectNoChanges();
  });

  testWithEngine(`secrets that are write-only stay out of plan and state ${found.reason}`, async () => {
    const { terraform, only } = await workspace();
    terraform.write(simple('name = "a"\nsize = 1\nsecret = "hunter2"'));
    await terraform.applied();
    expect(only()).toMatchObject({ secret_length: 7 });
    expect(terraform.read("terraform.tfstate")).not.toMatch(/hunter2/);
    await terraform.expectNoChanges();
  });

  testWithEngine(`warnings are shown ${found.reason}`, async () => {
    const { terraform } = await workspace();
    terraform.write(simple('name = "a"\nsize = 1\nbehaviour = "warn"\nold = "x"'));
    const { exitCode, text } = await terraform.plan();
    expect(exitCode).toBe(2);
    expect(text).toMatch(/Warning: A warning/);
    expect(text).toMatch(/Warning: (Deprecated|Argument is deprecated)/);
  });

  testWithEngine(`the schema is the emitted one ${found.reason}`, async () => {
    const { terraform } = await workspace();
    terraform.write(simple('name = "a"\nsize = 1'));
    const printed = (await terraform.schema()) as { provider_schemas: Record<string, object> };
    const emitted = JSON.parse(JSON.stringify(emitSchemaJson(toyProvider()))) as typeof printed;
    const [ours = {}] = Object.values(emitted.provider_schemas);
    const theirs = printed.provider_schemas[`${registryOf(engine)}/breezeblock/breezeblock`] ?? {};
    // Terraform prints identities from 1.12 on.
    const expected = "resource_identity_schemas" in theirs ? ours : omit(ours, "resource_identity_schemas");
    expect(theirs).toEqual(expected);
  });
});

/** Another registry's copy of the provider. */
function alsoKnownAs(registry: string, reattach: string): string {
  const running = JSON.parse(reattach) as Record<string, unknown>;
  const [provider] = Object.values(running);
  return JSON.stringify({ ...running, [`${registry}/breezeblock/breezeblock`]: provider });
}

function omit(object: object, key: string): object {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}
