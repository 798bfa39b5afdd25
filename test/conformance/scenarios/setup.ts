import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { present, refusal } from "../expect.ts";
import type { Scenario } from "../scenario.ts";

/** Nothing listens there. */
const nowhere = { address: "127.0.0.1", port: 1, dialAttempts: 1 } as const;

export const setupScenarios: readonly Scenario[] = [
  {
    name: "settings that cannot be are refused before the host is reached",
    clauses: ["SET-1"],
    isAboutRecords: true,
    async run(trial) {
      const { storage, hostSettings } = trial.subject;
      const unreachable = { ...hostSettings, ...nowhere };
      const wrong = trial.session({
        technology: storage.impossible,
        hostSettings: unreachable,
        isChecked: true,
      });
      await refusal(wrong.backend.ready(), "InvalidConfiguration");
      await refusal(
        trial.session({ hostSettings: unreachable, isChecked: true }).backend.ready(),
        "BackendUnreachable",
      );
    },
  },
  {
    name: "storage that is not there is told by its name, and volumes on it do not count as gone",
    clauses: ["SET-2"],
    isAboutRecords: true,
    async run(trial) {
      await trial.session({ isChecked: true }).backend.ready();
      const { technology, named } = trial.subject.storage.missing;
      const missing = trial.session({ technology, isChecked: true });
      await refusal(missing.backend.ready(), "BackendUninitialized", named);
      await refusal(missing.find({ id: randomUUID() }), "BackendUninitialized", named);
    },
  },
  {
    name: "a backend that is not usable says so at each use, and the other one of the same run works",
    clauses: ["SET-3"],
    isAboutRecords: true,
    async run(trial) {
      const settings = trial.settings();
      const [usable] = settings.backends;
      if (usable === undefined) throw new Error("there is no backend");
      const { technology } = trial.subject.storage.missing;
      const backends = [{ ...usable, ...{ technology, name: "broken" } }, usable];
      const [broken, working] = trial.sessions({ ...settings, backends }, { isChecked: true });
      if (broken === undefined || working === undefined) throw new Error("there are not two backends");
      const first = await refusal(broken.create(), "BackendUninitialized");
      const volume = await working.create();
      assert.ok(await working.find(volume));
      const second = await refusal(broken.create({ name: "other" }), "BackendUninitialized");
      assert.equal(second.reason, first.reason);
    },
  },
  {
    name: "what is there under another identity is neither found nor gone",
    clauses: ["SET-2", "DEL-1"],
    isAboutRecords: true,
    async run(trial) {
      const session = trial.session();
      const volume = await session.create();
      const next = trial.session();
      Object.defineProperty(next, "identity", { value: async () => randomUUID() });
      await refusal(next.find(volume), "BackendIdentityMismatch");
      await refusal(next.delete(volume), "BackendIdentityMismatch");
      await refusal(next.delete({ id: randomUUID() }), "BackendIdentityMismatch");
      present(await trial.session().find(volume), "the volume");
    },
  },
  {
    name: "stats have what the scheduler needs, and are measured again when asked",
    clauses: ["STA-1"],
    async run(trial) {
      const session = trial.session();
      const stats = await session.backend.stats();
      assert.equal(stats.volume_backend_name, "tested");
      assert.equal(stats.storage_protocol, session.backend.target.protocol);
      assert.ok(stats.vendor_name !== "" && stats.driver_version !== "");
      for (const part of [stats, ...(stats.pools ?? [])]) {
        for (const capacity of [part.total_capacity_gb, part.free_capacity_gb]) {
          assert.ok(
            typeof capacity === "number" ? capacity >= 0 : ["unknown", "infinite"].includes(capacity),
          );
        }
        // What the configuration decides, the same for each pool.
        assert.equal(part.reserved_percentage, 0);
        assert.equal(part.max_over_subscription_ratio, 20);
      }
      for (const pool of stats.pools ?? []) {
        assert.ok(pool.pool_name !== "");
        assert.equal(typeof pool.provisioned_capacity_gb, "number");
        assert.ok(pool.thin_provisioning_support === true || pool.thick_provisioning_support === true);
      }
      await trial.session().create();
      assert.equal(await session.backend.stats(), stats);
      const refreshed = await session.backend.stats({ refresh: true });
      assert.notEqual(refreshed, stats);
      const count = (volumes: number | undefined) => volumes ?? 0;
      if (stats.total_volumes !== undefined) {
        assert.equal(count(refreshed.total_volumes), stats.total_volumes + 1);
      }
      if (typeof stats.provisioned_capacity_gb !== "number") return;
      // It counts what others have too, and of those some may just be giving space back.
      let grows = (refreshed.provisioned_capacity_gb ?? 0) > stats.provisioned_capacity_gb;
      for (let attempt = 1; !grows && attempt < 5; attempt += 1) {
        const before = await session.backend.stats({ refresh: true });
        await trial.session().create({ name: `another-${attempt}` });
        const after = await session.backend.stats({ refresh: true });
        grows = (after.provisioned_capacity_gb ?? 0) > (before.provisioned_capacity_gb ?? 0);
      }
      assert.ok(grows, "a new volume does not count as provisioned");
    },
  },
];
