import { statfsSync } from "node:fs";
import { expect, test } from "vitest";
import { StorageDirectory } from "../../support/storage.ts";
import { outcomeOf } from "./diagnostics.ts";
import { describeEngines, firstEngine, type Scenario, useSite } from "./scenario.ts";

const site = useSite();
const broken = { host: "san1", file: { directory: "/nowhere/at/all" } };

/** Two backends, `a` and `b`, on the same file system. */
function storages(scenario: Scenario) {
  const a = scenario.storage;
  const b = new StorageDirectory(site.host.ssh.directory);
  const backend = (directory: StorageDirectory) =>
    scenario.backend(directory, { max_over_subscription_ratio: "1" });
  const { bfree, bsize } = statfsSync(a.path);
  return {
    a,
    b,
    room: Math.floor((bfree * bsize) / 1024 ** 3),
    configure: (backends: object = {}) =>
      scenario.configure({ backends: { a: backend(a), b: backend(b), ...backends } }),
  };
}

const set = (volumes: string, more = "") => `
data "breezeblock_placement" "set" {
  volumes = ${volumes}
  ${more}
}
output "backends" { value = data.breezeblock_placement.set.backends }
`;

const volume = (label: string, name: string, backend: string, size: number, after?: string) => `
resource "breezeblock_volume" "${label}" {
  name    = "${name}"
  size    = ${size}
  backend = "${backend}"
  ${after === undefined ? "" : `depends_on = [breezeblock_volume.${after}]`}
}
`;

describeEngines((engine) => {
  test("a set is not decided anew while a backend that may hold its volumes cannot be asked", async () => {
    const scenario = site.scenario(engine);
    const { terraform } = scenario;
    const { configure } = storages(scenario);
    configure();
    const db = volume("db", "db", "b", 1);
    scenario.write(db);
    await terraform.applied();
    const config = set('{ main = { name = "db", size = 1 } }');
    scenario.write(db + config);
    await terraform.applied();
    expect((await terraform.run(["output", "-json", "backends"])).stdout).toContain('"main":"b"');

    // Backend b is set up wrongly: where the volume was.
    configure({ b: broken });
    scenario.write(config);
    const lost = await terraform.plan("-refresh=false");
    expect(lost.exitCode).toBe(1);
    expect(lost.text).toMatch(/Unable to place volume "db".*may be on a backend that cannot be asked/s);
    expect(lost.text).toContain("excluded_backends");

    configure({ c: broken });
    scenario.write(db + set("{ new = { size = 1 } }"));
    expect((await terraform.plan()).exitCode).toBe(1);
    scenario.write(db + set("{ db = { size = 1 }, new = { size = 1 } }", 'excluded_backends = ["c", "b"]'));
    await terraform.applied();
    const { stdout } = await terraform.run(["output", "-json", "backends"]);
    expect(JSON.parse(stdout)).toEqual({ db: "b", new: "a" });
  });

  test("a backend that may hold what a killed run began is not left out in silence", async () => {
    const scenario = site.scenario(engine);
    const { terraform } = scenario;
    const { b, configure } = storages(scenario);
    const anywhere = `resource "breezeblock_volume" "db" {\n  name = "db"\n  size = 1\n}\n`;
    configure({ a: broken });
    scenario.write(anywhere);
    const { exitCode, diagnostics } = await outcomeOf(terraform, "apply");
    expect(exitCode).toBe(0);
    expect(diagnostics.map(({ summary }) => summary)).toContain(
      'Backend "a" is left out, and was not asked for volume "db"',
    );
    expect(b.names()).toEqual(["db"]);
  });

  test("a name that is on two backends is refused, and both count", async () => {
    const scenario = site.scenario(engine);
    const { terraform } = scenario;
    const { configure, room } = storages(scenario);
    configure();
    const most = Math.floor(room * 0.6);
    const both = volume("one", "db", "a", most) + volume("two", "db", "b", 1, "one");
    scenario.write(both + volume("more", "more", "a", most, "two"));
    const refused = await terraform.plan();
    expect(refused.exitCode).toBe(1);
    expect(refused.text).toMatch(/On backend "a".*GiB are needed/s);

    scenario.write(both);
    await terraform.applied();
    scenario.write(both + set("{ db = { size = 1 } }"));
    expect((await terraform.plan()).text).toContain("which is meant cannot be told");
    scenario.write(both + set('{ x = { name = "y", size = 1 }, y = { size = 1 } }'));
    expect((await terraform.plan()).text).toContain("Two entries have that name");
    scenario.write(both);
    await terraform.destroyed();
  });
}, firstEngine());
