import { beforeAll, expect, test } from "vitest";
import { type ServedProvider, serveForTest } from "../../../providers/terraform/index.ts";
import { provider } from "../../../resources/index.ts";
import { Fleet } from "../../../src/backend/index.ts";
import { type CountedHost, openHost } from "../../../src/ssh/index.ts";
import { startFaultyProxy } from "../../support/faulty-proxy.ts";
import { describeEngines, firstEngine, useSite } from "./scenario.ts";

const site = useSite();

/** Every host that the served provider has opened. */
const hosts: CountedHost[] = [];
let served: ServedProvider;
beforeAll(async () => {
  const counted = {
    ...provider,
    configure: async (...args: Parameters<typeof provider.configure>) => {
      const { settings } = await provider.configure(...args);
      return new Fleet(settings, {
        openHost: (...given) => {
          const host = openHost(...given);
          hosts.push(host);
          return host;
        },
      });
    },
  };
  served = await serveForTest(counted, { log: () => undefined });
  return () => served.close();
});

/** Remote commands of all hosts opened since the last call. */
function commandsSince(): number {
  return hosts.splice(0).reduce((sum, host) => sum + host.stats().commands, 0);
}

const volumes = (count: number) => `resource "breezeblock_volume" "v" {
  count   = ${count}
  name    = "v-\${count.index}"
  size    = 1
  backend = "demo"
  labels  = { index = count.index }
}
`;

describeEngines((engine) => {
  test("a plan of 1,000 volumes runs as many remote commands as one of 10", {
    timeout: 300_000,
  }, async () => {
    const scenario = site.scenario(engine, { source: { reattach: served.reattach } });
    const { terraform, storage } = scenario;
    const counts: number[] = [];
    for (const count of [10, 1_000]) {
      scenario.write(volumes(count));
      await terraform.applied("-parallelism=50");
      expect(storage.objects()).toHaveLength(count);
      // The first refresh acknowledges them all, in one command more.
      await terraform.expectNoChanges();
      await storage.acknowledged({ deadlineMs: 60_000, intervalMs: 100 });
      commandsSince();
      await terraform.expectNoChanges();
      counts.push(commandsSince());
    }
    expect(counts[1]).toBe(counts[0]);
    expect(counts[0]).toBeLessThanOrEqual(3);
  });

  test("a create of 100 volumes uses one connection", { timeout: 120_000 }, async ({ onTestFinished }) => {
    const proxy = await startFaultyProxy(site.host.ssh);
    onTestFinished(() => proxy.stop());
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    scenario.configure({ hosts: { san1: { ...site.host.settings, port: proxy.port } } });
    scenario.write(volumes(100));
    await terraform.run(["plan", "-no-color", "-out=saved.plan"]);
    const before = proxy.accepted();
    const { exitCode, text } = await terraform.run(["apply", "-no-color", "-parallelism=100", "saved.plan"]);
    expect(exitCode, text).toBe(0);
    expect(storage.objects()).toHaveLength(100);
    expect(proxy.accepted() - before).toBe(1);
  });
}, firstEngine());
