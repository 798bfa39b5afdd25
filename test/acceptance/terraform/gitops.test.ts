import { expect, test } from "vitest";
import { startFaultyProxy } from "../../support/faulty-proxy.ts";
import { outcomeOf } from "./diagnostics.ts";
import { describeEngines, useExecutable, useSite } from "./scenario.ts";

const site = useSite();
const executable = useExecutable();

const volume = (name: string, more = "") =>
  `resource "breezeblock_volume" "${name}" {\n  name = "${name}"\n  size = 1\n  backend = "demo"\n  ${more}\n}\n`;

describeEngines((engine) => {
  test("a pipeline's plan exits with 0, 1 and 2, and its saved plan is what is applied", async () => {
    const { terraform, storage } = site.scenario(engine, { source: executable() });
    terraform.write(volume("db", 'labels = { app = "postgres" }'));
    expect((await terraform.plan("-out=saved.plan")).exitCode).toBe(2);
    expect(storage.leftBehind()).toEqual([]);
    const applied = await terraform.run(["apply", "-no-color", "saved.plan"]);
    expect(applied.exitCode, applied.text).toBe(0);
    expect((await terraform.plan()).exitCode).toBe(0);

    storage.edit(storage.object("db"), { labels: {} });
    const drifted = await terraform.plan("-out=saved.plan");
    expect(drifted.exitCode).toBe(2);
    expect(drifted.text).toContain("1 to change");
    expect((await terraform.run(["apply", "-no-color", "saved.plan"])).exitCode).toBe(0);
    expect(storage.object("db").labels).toEqual({ app: "postgres" });
    expect((await terraform.plan()).exitCode).toBe(0);

    terraform.write(volume("db", 'labels = { app = "postgres" }').replace("size = 1", "size = 0"));
    expect((await terraform.plan()).exitCode).toBe(1);
  });

  test("-refresh-only shows drift and takes it into the state, and changes nothing on the host", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(volume("db", 'labels = { app = "postgres" }'));
    await terraform.applied();
    // Of -refresh-only no exit code is expected: Terraform gives 2 for equal states too, OpenTofu 0 for changes.
    expect((await terraform.plan("-refresh-only")).text).toContain("No changes.");
    storage.edit(storage.object("db"), { labels: { app: "mysql" } });
    const before = storage.object("db");
    const shown = await terraform.plan("-refresh-only");
    expect(shown.text).toContain("mysql");
    await terraform.applied("-refresh-only");
    expect(await terraform.attributes("breezeblock_volume.db")).toMatchObject({ labels: { app: "mysql" } });
    expect(storage.object("db").labels).toEqual(before.labels);
    expect((await terraform.plan()).exitCode).toBe(2);
    storage.remove(before);
    await terraform.applied("-refresh-only");
    expect(await terraform.state()).toEqual([]);
  });

  test("-refresh=false takes state at its word, and apply then finds out", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(volume("db"));
    await terraform.applied();
    storage.remove(storage.object("db"));
    await terraform.expectNoChanges("-refresh=false");
    terraform.write(volume("db", 'labels = { app = "postgres" }'));
    expect(await outcomeOf(terraform, "apply", "-refresh=false")).toMatchObject({
      exitCode: 1,
      diagnostics: [{ detail: expect.stringMatching(/no such volume.*Refresh the state/) }],
    });
    expect(storage.objects()).toEqual([]);
    await terraform.applied();
    await terraform.expectNoChanges();
    // What is gone already is destroyed.
    storage.remove(storage.object("db"));
    await terraform.destroyed("-refresh=false");
    expect(storage.leftBehind()).toEqual([]);
  });

  test("an unreachable host makes a plan fail, and nothing is planned anew", async ({ onTestFinished }) => {
    const proxy = await startFaultyProxy(site.host.ssh);
    onTestFinished(() => proxy.stop());
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const reach = (more: object = {}) => ({
      ...site.host.settings,
      port: proxy.port,
      dial_attempts: 1,
      ...more,
    });
    scenario.configure({ hosts: { san1: reach() } });
    terraform.write(volume("db"));
    await terraform.applied();
    const before = { storage: storage.listing(), state: await terraform.state() };
    await proxy.setFault({ kind: "refuse" });
    proxy.cut();
    terraform.write(volume("db") + volume("another"));
    for (const more of [[], ["-refresh-only"], ["-destroy"]]) {
      const { exitCode, diagnostics } = await outcomeOf(terraform, "plan", ...more);
      expect(exitCode).toBe(1);
      expect(diagnostics.map(({ detail }) => detail).join()).toContain("the connection was refused");
    }
    expect((await terraform.apply()).exitCode).toBe(1);
    expect((await terraform.destroy()).exitCode).toBe(1);
    expect(await terraform.state()).toEqual(before.state);
    expect(storage.listing()).toEqual(before.storage);

    // Where the backend is configured so, the rest of the world goes on.
    scenario.configure({
      hosts: { san1: reach() },
      backends: { demo: scenario.backend(storage, { unreachable: "warn" }) },
    });
    terraform.write(volume("db"));
    const tolerant = await outcomeOf(terraform, "plan");
    expect(tolerant).toMatchObject({
      exitCode: 0,
      diagnostics: [{ severity: "warning", summary: expect.stringContaining("unreachable") }],
    });

    await proxy.setFault({ kind: "none" });
    await terraform.expectNoChanges();
    expect(storage.names()).toEqual(["db"]);
  });
});
