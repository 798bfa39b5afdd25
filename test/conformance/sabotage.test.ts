import { afterAll, beforeAll, expect, test } from "vitest";
import { rooms } from "../../src/backend/rooms.ts";
import type { TargetDriver, VolumeDriver, VolumeRecord } from "../../src/contract/index.ts";
import type { Clause } from "./clauses.ts";
import { LazyGround } from "./ground.ts";
import { runScenario, scenariosFor } from "./run.ts";
import type { Subject } from "./subject.ts";
import { subjects } from "./subjects.ts";

/** A driver or target that breaks one promise, and whether the suite sees it. */
interface Sabotage {
  readonly promise: string;
  readonly clause: Clause;
  readonly driver?: (driver: VolumeDriver) => void;
  readonly target?: (target: TargetDriver) => void;
}

const overwrite = 'dd if=/dev/urandom of="$1" bs=4096 count=1 conv=notrunc status=none';

const sabotages: readonly Sabotage[] = [
  {
    promise: "a new volume is empty",
    clause: "CRE-2",
    driver(driver) {
      const create = driver.createVolume.bind(driver);
      driver.createVolume = async (volume, context) => {
        const work = await create(volume, context);
        if (work.state === "ready") {
          await context.executor.run(["sh", "-c", overwrite, "sh", work.record.location]);
        }
        return work;
      };
    },
  },
  {
    promise: "growing keeps the content",
    clause: "EXT-1",
    driver(driver) {
      const extend = driver.extendVolume.bind(driver);
      driver.extendVolume = async (volume, sizeBytes, context) => {
        const work = await extend(volume, sizeBytes, context);
        await context.executor.run(["sh", "-c", overwrite, "sh", volume.location]);
        return work;
      };
    },
  },
  {
    promise: "a snapshot is a copy",
    clause: "SNP-1",
    driver(driver) {
      const complete = driver.completeSnapshot.bind(driver);
      driver.completeSnapshot = async (id, context) => {
        const snapshot = await complete(id, context);
        const volume = context.fresh.volumes.get(snapshot.volumeId);
        await link(context.executor, volume?.location, snapshot.location);
        return snapshot;
      };
    },
  },
  {
    promise: "a clone is a copy",
    clause: "CLN-1",
    driver(driver) {
      const complete = driver.completeVolume.bind(driver);
      driver.completeVolume = async (id, context) => {
        const volume = await complete(id, context);
        const source = context.fresh.volumes.get(volume.source?.id ?? "");
        if (source !== undefined) await link(context.executor, source.location, volume.location);
        return volume;
      };
    },
  },
  {
    promise: "a moved volume is the same",
    clause: "MIG-1",
    driver(driver) {
      const complete = driver.completeVolume.bind(driver);
      driver.completeVolume = async (id, context) => {
        const volume = await complete(id, context);
        await context.executor.run(["sh", "-c", overwrite, "sh", volume.location]);
        return volume;
      };
    },
  },
  {
    promise: "deleting leaves nothing behind",
    clause: "DEL-1",
    driver(driver) {
      const remove = driver.deleteVolume.bind(driver);
      driver.deleteVolume = async (id, owner, context) => {
        const volume = context.fresh.volumes.get(id);
        const work = await remove(id, owner, context);
        if (volume !== undefined) await context.executor.run(["touch", `${volume.location}.left`]);
        return work;
      };
    },
  },
  {
    promise: "other people's files are left alone",
    clause: "DEL-3",
    driver(driver) {
      const remove = driver.deleteVolume.bind(driver);
      driver.deleteVolume = async (id, owner, context) => {
        const volume = context.fresh.volumes.get(id);
        const script = 'rm -f "$(dirname "$1")/photos.raw"';
        if (volume !== undefined) await context.executor.run(["sh", "-c", script, "sh", volume.location]);
        return remove(id, owner, context);
      };
    },
  },
  {
    promise: "attachments are recorded",
    clause: "ATT-1",
    driver(driver) {
      driver.attachVolume = async (volume, attachment) => ({ ...volume, attachments: [attachment] });
    },
  },
  {
    promise: "detaching is recorded",
    clause: "CON-4",
    driver(driver) {
      driver.detachVolume = async (volume): Promise<VolumeRecord> => ({ ...volume, attachments: [] });
    },
  },
  {
    promise: "a connection is the same each time",
    clause: "CON-2",
    target(target) {
      const initialize = target.initializeConnection.bind(target);
      let times = 0;
      target.initializeConnection = async (...args) => {
        const connection = await initialize(...args);
        times += 1;
        return { ...connection, data: { ...connection.data, times } };
      };
    },
  },
  {
    promise: "an incomplete connector is refused",
    clause: "CON-1",
    target(target) {
      target.validateConnector = () => {};
      target.initializeConnection = async () => ({ driver_volume_type: "local", data: {} });
    },
  },
  {
    promise: "stats have a name",
    clause: "STA-1",
    driver(driver) {
      const measure = driver.getVolumeStats.bind(driver);
      driver.getVolumeStats = async (context) => ({ ...(await measure(context)), vendor_name: "" });
    },
  },
];

const [definition] = subjects;
if (definition === undefined) throw new Error("there is nothing to sabotage");
let subject: Subject;
beforeAll(async () => {
  subject = await definition.open(new LazyGround());
});
afterAll(() => subject.close());

test.for(sabotages)("a driver for which it does not hold that $promise is found out", async (sabotage) => {
  const spoiled: Subject = {
    ...subject,
    rooms: {
      driver(settings) {
        const driver = rooms.driver(settings);
        sabotage.driver?.(driver);
        return driver;
      },
      target(settings) {
        const target = rooms.target(settings);
        sabotage.target?.(target);
        return target;
      },
    },
  };
  const concerned = scenariosFor(definition).filter(({ clauses }) => clauses.includes(sabotage.clause));
  const outcomes: string[] = [];
  for (const scenario of concerned) {
    outcomes.push((await runScenario(definition, spoiled, scenario)).outcome);
    if (outcomes.includes("failed")) break;
  }
  expect(outcomes).toContain("failed");
});

function link(
  executor: { run(argv: readonly string[]): Promise<unknown> },
  from: string | undefined,
  to: string,
): Promise<unknown> {
  return executor.run(["ln", "-f", from ?? "", to]);
}
