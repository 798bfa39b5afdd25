import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  attachOnConsumer,
  type Backend,
  Consumer,
  createVolume,
  detachOnConsumer,
  HalfMadeError,
} from "../src/backend/index.ts";
import {
  type ConnectorDriver,
  type ConsumerDevice,
  type Executor,
  type FilesystemRequest,
  type Filesystems,
  isStorageError,
  type LockOptions,
  type MountState,
  StorageError,
} from "../src/contract/index.ts";
import { LocalHost, localBackend } from "./support/backend.ts";
import { mebibyte } from "./support/file-backend.ts";

/** Two runs that attach one volume at once: the second takes the first one for killed, and takes up what that recorded. */

const filesystem: FilesystemRequest = {
  ...{ type: "ext4", mountPoint: "/srv/db", mountOptions: [], mkfsOptions: [], label: null },
  ...{ owner: null, mode: null, access: "rw" },
};

const fault = (reason: string) => new StorageError({ kind: "VolumeBackendError", action: "work", reason });

/** What the runs share of one consumer: its lock, and what is connected and mounted there. */
class Machine {
  readonly connected = new Set<string>();
  readonly mounted = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  exclusive<T>(use: () => Promise<T>): Promise<T> {
    const result = this.#last.then(use);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** What happens in a run on the consumer before it does a thing there, or in place of that. */
type Before = Partial<Record<"lock" | "mount" | "unmount" | "disconnect", () => Promise<void>>>;

/** A run's consumer. */
function consumerOn(machine: Machine, before: Before = {}) {
  const changes: string[] = [];
  const host = new LocalHost();
  host.withLock = async <T>(_file: string, _options: LockOptions, use: (locked: Executor) => Promise<T>) => {
    await before.lock?.();
    return machine.exclusive(() => use(host));
  };
  const deviceOf = (volumeId: string): ConsumerDevice => ({
    ...{ volumeId, path: `/dev/disk/by-id/${volumeId}`, kernelPath: "/dev/sdx", portals: [] },
    ...{ sizeBytes: 4 * mebibyte, multipath: false },
  });
  const mountOf = (volumeId: string) =>
    ({ volumeId, mountPoint: filesystem.mountPoint }) as unknown as MountState;
  const connector: ConnectorDriver = {
    protocol: "local",
    connectorProperties: async () => ({ host: "here" }),
    connections: async () =>
      new Map(
        [...machine.connected].map((volumeId) => [
          volumeId,
          { volumeId, device: deviceOf(volumeId), fault: null },
        ]),
      ),
    async connectVolume({ volumeId }) {
      machine.connected.add(volumeId);
      return deviceOf(volumeId);
    },
    extendVolume: async ({ volumeId }) => deviceOf(volumeId),
    async disconnectVolume(volumeId) {
      await before.disconnect?.();
      changes.push("disconnect");
      machine.connected.delete(volumeId);
    },
  };
  const filesystems: Filesystems = {
    mounts: async () => new Map(),
    ensureFilesystem: async () => undefined,
    async mount({ volumeId }) {
      await before.mount?.();
      machine.mounted.add(volumeId);
      return mountOf(volumeId);
    },
    grow: async ({ volumeId }) => mountOf(volumeId),
    async unmount(volumeId) {
      await before.unmount?.();
      changes.push("unmount");
      machine.mounted.delete(volumeId);
    },
  };
  const consumer = new Consumer({ host, connectors: new Map([["local", connector]]), filesystems });
  return { consumer, changes };
}

/** A volume, the machine that is to have it, and runs that attach it there. */
async function ground() {
  const { backend, directory } = localBackend();
  const volume = await createVolume(
    backend,
    {
      ...{ name: "db", namePrefix: null, sizeBytes: 4 * mebibyte, source: null, pool: null },
      ...{ provisioning: "thin", multiattach: false, labels: {}, defaultLabels: {} },
      ...{ deletionProtection: false, settings: {} },
    },
    undefined,
  );
  const machine = new Machine();
  const request = { volumeId: volume.id, connector: { host: "here" }, mode: "rw" } as const;
  return {
    volumeId: volume.id,
    machine,
    sidecar: join(directory, `volume-${volume.id}.json`),
    run(before: Before = {}) {
      const { backend: own } = localBackend({ directory });
      const { consumer, changes } = consumerOn(machine, before);
      const use = { consumer, multipath: false, filesystem };
      return {
        ...{ backend: own, changes },
        attach: () => attachOnConsumer(own, request, use, undefined),
        detach: async (uuid: string) =>
          detachOnConsumer(
            own,
            { uuid, identity: await identityOf(own), volumeId: volume.id, consumer, isMounted: true },
            undefined,
          ),
      };
    },
    /** As a run sees them that comes later. */
    attachments: async () =>
      (await localBackend({ directory }).backend.listing()).volumes.get(volume.id)?.attachments ?? [],
  };
}

const identityOf = async (backend: Backend) => (await backend.listing()).identity ?? "";

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

function expectTakenOver(error: unknown, id: string, cause: string): void {
  expect(error).not.toBeInstanceOf(HalfMadeError);
  if (!isStorageError(error, "VolumeIsBusy")) throw error;
  expect(error).toMatchObject({ backend: "demo", host: "here" });
  expect(error.reason).toContain(`Another run has taken over the making of attachment ${id}`);
  expect(error.reason).toContain(cause);
  expect(error.nextStep).toContain("run again");
}

/** Does `others` once, then fails. */
function once(others: () => Promise<unknown>, reason: string) {
  return async () => {
    await others();
    throw fault(reason);
  };
}

/** Does that at the call of that number, and nothing at the others. */
function atCall(number: number, act: () => Promise<unknown>) {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls === number) await act();
  };
}

test("an attachment that fails on the consumer is taken back on both sides", async () => {
  const { run, machine, attachments } = await ground();
  const alone = run({ mount: once(async () => undefined, "no such mount point") });
  expect(await refusal(alone.attach())).toMatchObject({ reason: "no such mount point" });
  expect(alone.changes).toEqual(["unmount", "disconnect"]);
  expect(await attachments()).toEqual([]);
  expect(machine.connected.size).toBe(0);
});

test("an attachment that a second run has taken up is left alone by the first, which waited for the consumer in vain", async () => {
  const { run, machine, volumeId, attachments } = await ground();
  const second = run();
  const first = run({ lock: once(() => second.attach(), "the lock was not to be had") });
  const error = await refusal(first.attach());
  const [kept, ...others] = await attachments();
  expect(others).toEqual([]);
  expectTakenOver(error, kept?.id ?? "", "the lock was not to be had");
  expect(first.changes).toEqual([]);
  expect([...machine.mounted]).toEqual([volumeId]);
  await second.detach(kept?.id ?? "");
  expect(await attachments()).toEqual([]);
});

test("an attachment that a second run has taken up is left alone by the first, whose mount fails then", async () => {
  const { run, machine, volumeId, attachments } = await ground();
  const first = run({
    lock: atCall(1, () => run().attach()),
    mount: async () => {
      throw fault("mount: bad option");
    },
  });
  const error = await refusal(first.attach());
  const [kept] = await attachments();
  expectTakenOver(error, kept?.id ?? "", "mount: bad option");
  expect(first.changes).toEqual([]);
  expect([...machine.mounted]).toEqual([volumeId]);
});

test("an attachment that a second run takes up while the first waits to take it back is left alone", async () => {
  const { run, machine, volumeId, attachments } = await ground();
  const first = run({
    lock: atCall(2, () => run().attach()),
    mount: once(async () => undefined, "mount: bad option"),
  });
  const error = await refusal(first.attach());
  const [kept] = await attachments();
  expectTakenOver(error, kept?.id ?? "", "mount: bad option");
  expect(first.changes).toEqual([]);
  expect([...machine.mounted]).toEqual([volumeId]);
});

test("an attachment that a second run takes up while the first waits in vain to take it back is in no state of the first", async () => {
  const { run, attachments } = await ground();
  const first = run({
    lock: atCall(
      2,
      once(() => run().attach(), "the lock was not to be had"),
    ),
    mount: once(async () => undefined, "mount: bad option"),
  });
  const error = await refusal(first.attach());
  expectTakenOver(error, (await attachments())[0]?.id ?? "", "mount: bad option");
});

test("an attachment that a second run takes up while the first disconnects it keeps its access, and is connected anew", async () => {
  const { run, machine, volumeId, attachments } = await ground();
  const granted = Promise.withResolvers<void>();
  const second = run({ lock: async () => granted.resolve() });
  let attaching: Promise<unknown> | undefined;
  const first = run({
    mount: once(async () => undefined, "mount: bad option"),
    disconnect: async () => {
      attaching = second.attach();
      await granted.promise;
    },
  });
  const error = await refusal(first.attach());
  await attaching;
  const [kept] = await attachments();
  expectTakenOver(error, kept?.id ?? "", "mount: bad option");
  expect([...machine.mounted]).toEqual([volumeId]);
});

test("of an attachment that a second run has removed the first clears the consumer, and says that it is gone", async () => {
  const { run, machine, attachments } = await ground();
  const first = run({
    lock: atCall(1, async () => {
      const second = run();
      await second.detach((await second.attach()).attachment.id);
    }),
    mount: once(async () => undefined, "mount: bad option"),
  });
  const error = await refusal(first.attach());
  if (!isStorageError(error, "VolumeIsBusy")) throw error;
  expect(error.reason).toMatch(/The attachment .* is gone: another run has removed it/);
  expect(first.changes).toEqual(["unmount", "disconnect"]);
  expect(machine.connected.size).toBe(0);
  expect(await attachments()).toEqual([]);
});

test("where an attachment is gone and the consumer has another one, the first run does not touch that", async () => {
  const { run, machine, volumeId, attachments } = await ground();
  const first = run({
    lock: atCall(1, async () => {
      const second = run();
      await second.detach((await second.attach()).attachment.id);
      await run().attach();
    }),
    mount: once(async () => undefined, "mount: bad option"),
  });
  const error = await refusal(first.attach());
  if (!isStorageError(error, "VolumeIsBusy")) throw error;
  expect(error.reason).toMatch(/is gone: another run has removed it/);
  expect(first.changes).toEqual([]);
  expect(await attachments()).toHaveLength(1);
  expect([...machine.mounted]).toEqual([volumeId]);
});

test("an attachment that a version without runs has recorded is taken up, and taken back by who did that", async () => {
  const { run, sidecar, attachments } = await ground();
  const { id } = (await run().attach()).attachment;
  const stored = JSON.parse(readFileSync(sidecar, "utf8"));
  const older = stored.attachments.map(({ run: _, ...others }: { run?: string }) => others);
  writeFileSync(sidecar, `${JSON.stringify({ ...stored, attachments: older })}\n`);
  expect((await run().attach()).attachment.id).toBe(id);
  const failing = run({ mount: once(async () => undefined, "mount: bad option") });
  expect(await refusal(failing.attach())).toMatchObject({ reason: "mount: bad option" });
  expect(await attachments()).toEqual([]);
});

test("a run that cannot look whether its attachment was taken over reports it for removal", async () => {
  const { run, attachments } = await ground();
  const first = run({
    mount: async () => {
      first.backend.host.withLock = async () => {
        throw fault("the storage host is stuck");
      };
      throw fault("mount: bad option");
    },
  });
  const error = await refusal(first.attach());
  if (!(error instanceof HalfMadeError)) throw error;
  expect((await attachments()).map(({ id }) => id)).toEqual([error.uuid]);
  expect(first.changes).toEqual([]);
});
