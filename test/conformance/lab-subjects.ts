import { type BackendSettings, Fleet } from "../../src/backend/index.ts";
import type { Executor, StorageProtocol } from "../../src/contract/index.ts";
import { openHost } from "../../src/ssh/index.ts";
import type { Consumer } from "./consumer.ts";
import type { Ground } from "./ground.ts";
import { localConsumer } from "./local-consumer.ts";
import { remoteConsumer } from "./remote-consumer.ts";
import { fileStorage } from "./storage/file.ts";
import { lvmStorage } from "./storage/lvm.ts";
import type { Storage, Subject } from "./subject.ts";

export type LabTarget = "local" | "iscsi" | "nvmet";

const protocols = { local: "local", iscsi: "iSCSI", nvmet: "nvmet_tcp" } as const satisfies Record<
  LabTarget,
  StorageProtocol
>;

/** Gets storage ready on a lab's storage host. */
export type PrepareStorage = (executor: Executor, ground: Ground) => Promise<Storage>;

export const labStorages = {
  async file(executor) {
    const { stdout } = await executor.run(["mktemp", "-d", "/srv/volumes.XXXXXX"]);
    return fileStorage(executor, stdout.toString().trim(), { format: "raw", provisioning: "thin" });
  },
  async thin(executor, { volumeGroup, thinPool }) {
    return lvmStorage(executor, { volumeGroup, thinPool });
  },
  async thick(executor, { volumeGroup }) {
    return lvmStorage(executor, { volumeGroup, thinPool: null });
  },
} as const satisfies Record<string, PrepareStorage>;

/** A driver with a target on real machines of their own. */
export async function openLabSubject(
  driver: string,
  target: LabTarget,
  prepare: PrepareStorage,
  ground: Ground,
): Promise<Subject> {
  const host = openHost(ground.storage);
  const storage = await prepare(host, ground);
  const prepareElsewhere = prepare === labStorages.file ? labStorages.thick : labStorages.file;
  const fleet = new Fleet({
    owner: "",
    defaultLabels: {},
    deletionProtection: false,
    hosts: {},
    backends: [],
  });
  const [first, ...others]: readonly Consumer[] =
    target === "local"
      ? [localConsumer(ground.storage.name, host)]
      : ground.consumers.map((settings) => remoteConsumer(fleet, settings, protocols[target]));
  if (first === undefined) throw new Error("the lab has no consumer");
  return {
    driver,
    target,
    parts: { technology: storage.technology, target: targetSettings(target, ground) },
    storage: {
      ...storage,
      traces: async (id) => [...(await storage.traces(id)), ...(await exportTraces(host, id))],
    },
    elsewhere: await prepareElsewhere(host, ground),
    hostSettings: ground.storage,
    isSlow: true,
    host,
    consumers: [first, ...others],
    async close() {
      await fleet.close();
      await host.close();
    },
  };
}

function targetSettings(target: LabTarget, { addresses }: Ground): NonNullable<BackendSettings["target"]> {
  const portals = (port: number) => addresses.map((address) => `${address}:${port}`);
  switch (target) {
    case "local":
      return { target };
    case "iscsi":
      return { target, portals: portals(3260), chap: "required", iqnPrefix: "iqn.2026-01.test.lab" };
    case "nvmet":
      return { target, portals: portals(4420), nqnPrefix: "nqn.2026-01.test.lab" };
  }
}

/** What the kernel exports, and the records of that. */
async function exportTraces(executor: Executor, id: string): Promise<readonly string[]> {
  const script = 'find /sys/kernel/config /var/lib/breezeblock -name "*$1*" 2>/dev/null || :';
  const { stdout } = await executor.run(["sh", "-c", script, "sh", id]);
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}
