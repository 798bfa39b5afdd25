import { closeSync, ftruncateSync, openSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { StorageDirectory } from "../../support/storage.ts";
import { describeEngines, firstEngine, type Scenario, useSite } from "./scenario.ts";

const site = useSite();
const gib = 1024 ** 3;

interface Storages {
  readonly scenario: Scenario;
  readonly a: StorageDirectory;
  readonly b: StorageDirectory;
  /** What each backend has room for where nothing is given away twice, in GiB. */
  readonly room: number;
  /** Writes the provider block: backends `a` and `b`, with these settings. */
  configure(a?: object, b?: object, more?: object): void;
}

function storages(scenario: Scenario): Storages {
  const a = scenario.storage;
  const b = new StorageDirectory(site.host.ssh.directory);
  const { blocks, bfree, bsize } = statfsSync(a.path);
  const backend = (directory: StorageDirectory, settings: object) =>
    scenario.backend(directory, { max_over_subscription_ratio: "1", ...settings });
  return {
    scenario,
    a,
    b,
    room: Math.floor((bfree * bsize) / gib) || blocks,
    configure(settingsOfA = {}, settingsOfB = {}, more = {}) {
      scenario.configure({ backends: { a: backend(a, settingsOfA), b: backend(b, settingsOfB), ...more } });
    },
  };
}

function volume(name: string, size: number, more = ""): string {
  return `
resource "breezeblock_volume" "${name}" {
  name = "${name}"
  size = ${size}
  ${more}
}
`;
}

function volumes(count: number, size: number): string {
  return `
resource "breezeblock_volume" "v" {
  count = ${count}
  name  = "v\${count.index}"
  size  = ${size}
}
`;
}

describeEngines((engine) => {
  test("volumes without a backend go where there is room, and the sum is refused at plan", async () => {
    const { scenario, a, b, room, configure } = storages(site.scenario(engine));
    const { terraform } = scenario;
    const most = Math.floor(room * 0.6);
    configure();
    scenario.write(volumes(3, most));
    const refused = await terraform.plan();
    expect(refused.exitCode).toBe(1);
    expect(refused.text).toMatch(/Unable to create volume "v\d" of \d+ GiB/);
    expect(refused.text).toMatch(/- a: \d+ GiB are needed, and [\d.]+ GiB can be given/);
    expect(refused.text).toMatch(/- b: \d+ GiB are needed, and [\d.]+ GiB can be given/);
    expect(refused.text).toContain(`2 volumes, ${2 * most} GiB`);

    scenario.write(volumes(2, most));
    const { resource_changes: [change] = [] } = await terraform.planned();
    expect(change?.change.after_unknown["backend"]).toBe(true);
    await terraform.applied();
    expect([a.names().length, b.names().length]).toEqual([1, 1]);
    await terraform.expectNoChanges();

    // Whatever the stats say by now: what is there stays where it is.
    configure({ reserved_percentage: 100, filter_function: "volume.size < 1" }, { goodness_function: "100" });
    await terraform.expectNoChanges();
    configure();

    scenario.write(volumes(2, room + 5));
    const grown = await terraform.plan();
    expect(grown.exitCode).toBe(1);
    expect(grown.text).toMatch(/Unable to extend volume "v0" to/);
    scenario.write(volumes(2, most + 1));
    await terraform.applied();
    scenario.write(volumes(2, most + 1) + volume("more", most, 'backend = "b"'));
    const named = await terraform.plan();
    expect(named.exitCode).toBe(1);
    expect(named.text).toMatch(/On backend "b".*GiB are needed/s);
    scenario.write(volumes(2, most + 1));
    await terraform.destroyed();
  });
});

describeEngines((engine) => {
  test("creates that run side by side never give away more than there is", async () => {
    const { scenario, a, b, room, configure } = storages(site.scenario(engine));
    configure();
    scenario.write(volumes(6, Math.floor(room * 0.3)));
    await scenario.terraform.applied();
    expect([a.names().length, b.names().length]).toEqual([3, 3]);
    await scenario.terraform.destroyed();
  });

  test("what somebody else took since the plan counts at apply", async () => {
    const { scenario, a, b, room, configure } = storages(site.scenario(engine));
    configure({ goodness_function: "100" }, { reserved_percentage: 10 });
    const size = Math.floor(room * 0.6);
    scenario.write(volume("there", 1, 'backend = "a"'));
    await scenario.terraform.applied();
    scenario.write(volume("there", 1, 'backend = "a"') + volume("db", size));
    await scenario.terraform.planned();
    const file = openSync(join(a.path, "volume-00000000-0000-4000-8000-000000000000.raw"), "w");
    ftruncateSync(file, size * gib);
    closeSync(file);
    await scenario.terraform.applied("plan.bin");
    expect([a.names(), b.names()]).toEqual([["there"], ["db"]]);
    await scenario.terraform.expectNoChanges();
  });

  test("a volume that moves counts where it goes, with all else that is planned", async () => {
    const { scenario, a, b, room, configure } = storages(site.scenario(engine));
    const { terraform } = scenario;
    const most = Math.floor(room * 0.6);
    configure({ max_over_subscription_ratio: "4" });
    const on = (name: string, backend: string, size = most) =>
      volume(name, size, `backend = "${backend}"\non_backend_change = "migrate"`);
    scenario.write(on("one", "a") + on("two", "a") + on("small", "a", 1));
    await terraform.applied();
    const refusal = async (configuration: string) => {
      scenario.write(configuration);
      const { exitCode, text } = await terraform.plan();
      expect(exitCode, text).toBe(1);
      return text.slice(text.indexOf("Error:"));
    };
    const small = on("small", "a", 1);
    const both = await refusal(on("one", "b") + on("two", "b") + small);
    expect(both).toMatch(/Unable to move volume "(one|two)".* from backend "a" to "b"/);
    expect(both).toMatch(/On backend "b".*GiB are needed/s);
    expect(both).toContain(`(one volume, ${most} GiB)`);
    await refusal(on("one", "b") + on("two", "a") + small + volume("new", most, 'backend = "b"'));
    await refusal(on("one", "b", room + 5) + on("two", "a") + small);
    scenario.write(on("one", "b") + on("two", "a") + small);
    expect((await terraform.plan()).exitCode).toBe(2);

    // A thick one as well, which the other backend could promise often, but give once.
    configure({ max_over_subscription_ratio: "4" }, { max_over_subscription_ratio: "4" });
    const thick = (name: string) => on(name, "b").replace("size =", 'provisioning = "thick"\n  size =');
    await refusal(thick("one") + thick("two") + small);
    // What goes elsewhere may be replaced there by what is made.
    scenario.write(
      on("one", "a") + on("two", "a") + on("small", "b", 1) + volume("more", 1, 'backend = "a"'),
    );
    await terraform.applied();
    expect([a.names(), b.names()]).toEqual([["more", "one", "two"], ["small"]]);
    await terraform.expectNoChanges();
  });

  test("requirements, availability zone and hints decide, for a backend that is named as well", async () => {
    const { scenario, a, b, configure } = storages(site.scenario(engine));
    const { terraform } = scenario;
    configure({ labels: { tier: "gold" }, availability_zone: "north" }, { availability_zone: "south" });
    const all = (more = "") =>
      volume("gold", 1, 'requirements = { tier = "<or> gold <or> platinum" }') +
      volume("south", 1, 'availability_zone = "south"') +
      volume("beside", 1, "scheduler_hints = { same_backend_as = [breezeblock_volume.gold.id] }") +
      volume("apart", 1, "scheduler_hints = { different_backend_from = [breezeblock_volume.gold.id] }") +
      more;
    scenario.write(all());
    await terraform.applied();
    expect([a.names(), b.names()]).toEqual([
      ["beside", "gold"],
      ["apart", "south"],
    ]);
    await terraform.expectNoChanges();

    scenario.write(all(volume("more", 1, 'backend = "b"\nrequirements = { tier = "gold" }')));
    const named = await terraform.plan();
    expect(named.exitCode).toBe(1);
    expect(named.text).toMatch(/On backend "b".*Tier is not reported, and "gold" is required/s);

    scenario.write(all().replace('zone = "south"', 'zone = "north"'));
    const moved = await terraform.plan();
    expect(moved.exitCode).toBe(1);
    expect(moved.text).toContain('It is in availability zone "south", and not in "north"');

    scenario.write(all(volume("more", 1, 'availability_zone = "east"')));
    const nowhere = await terraform.plan();
    expect(nowhere.text).toContain('- a: it is in availability zone "north", and "east" is asked for');
    expect(nowhere.text).toContain('- b: it is in availability zone "south", and "east" is asked for');
  });

  test("a set is decided at plan, and volumes that are there keep their backends", async () => {
    const { scenario, a, b, room, configure } = storages(site.scenario(engine));
    const { terraform } = scenario;
    const set = (policy: string, sizes: Readonly<Record<string, number>>) => `
data "breezeblock_placement" "set" {
  policy  = ${policy}
  volumes = { ${Object.entries(sizes).map(([name, size]) => `${name} = { size = ${size} }`)} }
}
resource "breezeblock_volume" "v" {
  for_each = data.breezeblock_placement.set.backends
  name     = each.key
  size     = ${JSON.stringify(sizes)}[each.key]
  backend  = each.value
}
`;
    configure();
    scenario.write(set('"anti-affinity"', { one: 1, two: 2 }));
    await terraform.applied();
    expect([a.names().length, b.names().length]).toEqual([1, 1]);

    configure({ filter_function: "volume.size < 1" });
    await terraform.expectNoChanges();
    scenario.write(set("null", { one: 1, two: 2, more: 3 }));
    await terraform.applied();
    expect(b.names()).toContain("more");

    configure();
    const most = Math.floor(room * 0.6);
    scenario.write(set('"anti-affinity"', { one: 1, two: 2, more: 3, three: 1 }));
    expect((await terraform.plan()).text).toContain(
      "the volume must be on another backend than one that is here",
    );
    scenario.write(set("null", { one: 1, two: 2, more: 3, x: most, y: most, z: most }));
    const refused = await terraform.plan();
    expect(refused.exitCode).toBe(1);
    expect(refused.text).toMatch(/Unable to place volume "z".*it fits on none of the backends:/s);
    scenario.write(set('"affinity"', { one: 1, two: 2, more: 3, x: most }));
    expect((await terraform.plan()).exitCode).toBe(1);
  });

  test("a backend that cannot be used is left out, with the reason", async () => {
    const { scenario, b, configure } = storages(site.scenario(engine));
    const { terraform } = scenario;
    const broken = { host: "san1", file: { directory: "/nowhere/at/all" } };
    configure({ filter_function: "volume.size < 1" }, { labels: { tier: "gold" } }, { broken });
    scenario.write(volume("db", 1));
    await terraform.applied();
    expect(b.names()).toEqual(["db"]);

    scenario.write(volume("db", 1) + volume("more", 1, 'requirements = { tier = "silver" }'));
    const refused = await terraform.plan();
    expect(refused.exitCode).toBe(1);
    expect(refused.text).toContain("- a: tier is not reported");
    expect(refused.text).toContain('- b: tier is "gold", and "silver" is required');
    expect(refused.text).toMatch(/- broken: .*\/nowhere\/at\/all does not exist/);
  });
}, firstEngine());
