import { randomUUID } from "node:crypto";
import {
  attachOnConsumer,
  type Backend,
  type BackendSettings,
  createSnapshot,
  createVolume,
  deleteSnapshot,
  deleteVolume,
  detachOnConsumer,
  Fleet,
  type FleetOptions,
  reattachOnConsumer,
  type Use,
  updateVolume,
} from "../../src/backend/index.ts";
import type { VolumeRecord, VolumeSource } from "../../src/contract/index.ts";
import { openHost } from "../../src/ssh/index.ts";
import { ensureLab, someoneIsThere } from "../lab/availability.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { type Lifecycle, openSession, TypedSessions, typedLifecycle } from "./lvm-script.ts";
import { type Comparison, compare, compareSteps, timed } from "./measure.ts";
import { plantVolumes } from "./planted-volumes.ts";

const rounds = 3;
const manyVolumes = 1_000;
const gibibyte = 1024 ** 3;

const steps: Readonly<Record<keyof Lifecycle, string>> = {
  create: "LVM: create a thin volume of 1 GiB",
  attach: "LVM: attach it over iSCSI with CHAP, make ext4, mount",
  grow: "LVM: grow it to 2 GiB while mounted",
  snapshot: "LVM: take a snapshot",
  restore: "LVM: make a volume from the snapshot",
  detach: "LVM: unmount and detach",
  remove: "LVM: delete volume, snapshot and copy",
};

/** Volumes on LVM, exported over iSCSI between guests, against what somebody types there. */
export async function benchLvm(): Promise<readonly Comparison[]> {
  const available = await ensureLab({ mayInstall: !someoneIsThere() });
  if (!available.available) {
    console.log(available.reason);
    return [];
  }
  const lab = await Lab.start({}, { report: (step) => console.log(`The lab: ${step} …`) });
  try {
    const [storage] = lab.storage;
    const [consumer] = lab.consumers;
    if (storage === undefined || consumer === undefined) throw new Error("The lab lacks a host.");
    console.log("The hosts are guests that run as processes here: only the ratios mean anything.");
    return [...(await benchLifecycle(storage, consumer)), await benchRefresh(storage)];
  } finally {
    await lab.stop();
  }
}

/** Each step of a volume's life. Connections are open, and the hosts have been looked at, before anything counts. */
async function benchLifecycle(storage: Guest, consumer: Guest): Promise<readonly Comparison[]> {
  const sessions = await TypedSessions.open(storage, consumer);
  const fleet = fleetOn(storage);
  try {
    return await compareSteps(
      { ours: "breezeblock", baseline: "script in an SSH session" },
      steps,
      rounds,
      (round) => ({
        ours: ownLifecycle(fleet, consumer, round),
        baseline: typedLifecycle(sessions, {
          ...{ volume: `typed-${round}`, serial: randomUUID(), index: 9000 + round },
          ...{ address: storage.storageAddresses[0], initiator: consumer.initiator },
        }),
      }),
    );
  } finally {
    await fleet.close();
    sessions.close();
  }
}

function ownLifecycle(fleet: Fleet, guest: Guest, round: number): Lifecycle {
  const backend = fleet.backend("bench", []);
  const consumer = fleet.consumer(guest.settings());
  const name = `bench-${round}`;
  const mountPoint = `/mnt/${name}`;
  const use: Use = {
    consumer,
    multipath: false,
    filesystem: {
      ...{ type: "ext4", mountPoint, mountOptions: [], mkfsOptions: [] },
      ...{ label: null, owner: null, mode: null, access: "rw" },
    },
  };
  const identity = (): string => backend.lastIdentity ?? "";
  const ids = { volume: "", attachment: "", snapshot: "", copy: "" };
  return {
    async create() {
      ids.volume = (await create(backend, name, gibibyte, null)).id;
    },
    async attach() {
      const connector = await consumer.properties("iSCSI");
      const request = { volumeId: ids.volume, connector, mode: "rw" } as const;
      ids.attachment = (await attachOnConsumer(backend, request, use, undefined)).attachment.id;
    },
    async grow() {
      await updateVolume(backend, ids.volume, identity(), { sizeBytes: 2 * gibibyte }, undefined);
      const previous = { multipath: false, mountPoint };
      await reattachOnConsumer(backend, ids.attachment, identity(), use, previous, undefined);
    },
    async snapshot() {
      const request = { volumeId: ids.volume, name, ...plain };
      ids.snapshot = (await createSnapshot(backend, request, undefined)).id;
    },
    async restore() {
      const source = { kind: "snapshot", id: ids.snapshot } as const;
      ids.copy = (await create(backend, `${name}-copy`, null, source)).id;
    },
    async detach() {
      const { volume: volumeId, attachment: uuid } = ids;
      const detachment = { uuid, identity: identity(), volumeId, consumer, isMounted: true };
      await detachOnConsumer(backend, detachment, undefined);
    },
    async remove() {
      await deleteVolume(backend, ids.copy, identity(), undefined);
      await deleteSnapshot(backend, ids.snapshot, identity(), undefined);
      await deleteVolume(backend, ids.volume, identity(), undefined);
    },
  };
}

/** What a refresh asks of the storage host: a check of the backend and one listing, however many volumes there are. */
async function benchRefresh(storage: Guest): Promise<Comparison> {
  const model = fleetOn(storage);
  const volume = await create(model.backend("bench", []), "many-0", gibibyte, null);
  await model.close();
  await plantVolumes(storage, volume, manyVolumes - 1);
  const session = await openSession(storage);
  try {
    const { commands } = await refresh(storage);
    return await compare(
      {
        what: `LVM: refresh of ${manyVolumes} volumes in ${commands} commands`,
        ours: "breezeblock",
        baseline: "lvs in an SSH session",
      },
      rounds,
      async () => (await refresh(storage)).milliseconds,
      () => timed(() => session.run("lvs --reportformat json --units b -o +lv_uuid,lv_tags vg0")),
    );
  } finally {
    session.close();
  }
}

async function refresh(
  storage: Guest,
): Promise<{ readonly milliseconds: number; readonly commands: number }> {
  const host = openHost(storage.settings());
  const fleet = fleetOn(storage, { openHost: () => host });
  try {
    await host.run(["true"]);
    const before = host.stats().commands;
    let listed = 0;
    const milliseconds = await timed(async () => {
      listed = (await fleet.backend("bench", []).listing()).volumes.size;
    });
    if (listed !== manyVolumes) throw new Error(`${listed} volumes were listed instead of ${manyVolumes}.`);
    return { milliseconds, commands: host.stats().commands - before };
  } finally {
    await fleet.close();
  }
}

function fleetOn(storage: Guest, options: FleetOptions = {}): Fleet {
  const backend: BackendSettings = {
    name: "bench",
    aliases: [],
    host: "bench",
    unreachable: "error",
    technology: { technology: "lvm", volumeGroup: "vg0", thinPool: "pool0", volumeClear: "zero" },
    target: { target: "iscsi", portals: [`${storage.storageAddresses[0]}:3260`] },
  };
  return new Fleet(
    {
      ...{ owner: "bench", defaultLabels: {}, deletionProtection: false },
      ...{ hosts: { bench: storage.settings() }, backends: [backend] },
    },
    options,
  );
}

function create(
  backend: Backend,
  name: string,
  sizeBytes: number | null,
  source: VolumeSource | null,
): Promise<VolumeRecord> {
  return createVolume(
    backend,
    {
      ...{ name, namePrefix: null, sizeBytes, source, pool: null },
      ...{ provisioning: "thin", multiattach: false, ...plain },
    },
    undefined,
  );
}

const plain = {
  ...{ labels: { purpose: "bench" }, defaultLabels: {} },
  ...{ deletionProtection: false, settings: {} },
} as const;
