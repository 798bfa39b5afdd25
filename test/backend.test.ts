import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  attach,
  type Backend,
  createSnapshot,
  createVolume,
  deleteSnapshot,
  deleteVolume,
  detach,
  findAttachment,
  findVolume,
  HalfMadeError,
  retainVolume,
  type VolumeRequest,
} from "../src/backend/index.ts";
import { type Inventory, StorageError } from "../src/contract/index.ts";
import { localBackend, plainRequest } from "./support/backend.ts";

function create(backend: Backend, request: Partial<VolumeRequest> = {}) {
  return createVolume(backend, { ...plainRequest, ...request }, undefined);
}

async function identityOf(backend: Backend): Promise<string> {
  return (await backend.listing()).identity ?? "";
}

function interrupted(): StorageError {
  return new StorageError({ kind: "Cancelled", action: "wait for the job", reason: "stopped on request" });
}

/** A clone whose creation is stopped while its job copies. */
async function halfMadeClone(request: Partial<VolumeRequest> = {}) {
  const made = localBackend();
  const { backend, host } = made;
  const source = await create(backend);
  const runJob = host.runJob.bind(host);
  host.runJob = async (job) => {
    host.jobs.add(job.id);
    throw interrupted();
  };
  const source_ = { kind: "volume", id: source.id } as const;
  const error: unknown = await create(backend, { name: "copy", source: source_, ...request }).catch((e) => e);
  host.runJob = runJob;
  if (!(error instanceof HalfMadeError)) throw error;
  return { ...made, source, uuid: error.uuid, identity: await identityOf(backend) };
}

test("DEL-1: a half-made volume can be deleted, with its job, although it was to be protected", async () => {
  const { backend, host, uuid, identity, source } = await halfMadeClone({ deletionProtection: true });
  expect(host.jobs.size).toBe(1);
  await deleteVolume(backend, uuid, identity, undefined);
  expect(host.jobs.size).toBe(0);
  expect(await findVolume(backend, uuid, identity)).toBeUndefined();
  await deleteVolume(backend, source.id, identity, undefined);
});

test("a half-made volume that was to be retained is deleted: there is nothing to retain", async () => {
  const { backend, host, uuid, identity } = await halfMadeClone();
  await retainVolume(backend, uuid, identity, undefined);
  expect(host.jobs.size).toBe(0);
  expect(await findVolume(backend, uuid, identity)).toBeUndefined();
  await create(backend, { name: "copy" });
});

test("CLN-1, SNP-1: what is whole stays so when its job's record cannot be removed, and takes that along later", async () => {
  const { backend, host } = localBackend();
  const source = await create(backend);
  const forgetJob = host.forgetJob.bind(host);
  host.forgetJob = async () => {
    throw interrupted();
  };
  const clone = await create(backend, { name: "copy", source: { kind: "volume", id: source.id } });
  const snapshot = await createSnapshot(
    backend,
    {
      volumeId: clone.id,
      name: "before",
      labels: {},
      defaultLabels: {},
      deletionProtection: false,
      settings: {},
    },
    undefined,
  );
  expect([clone.phase, snapshot.phase]).toEqual(["unacknowledged", "unacknowledged"]);
  expect(host.jobs.size).toBe(2);
  host.forgetJob = forgetJob;
  await deleteSnapshot(backend, snapshot.id, await identityOf(backend), undefined);
  await deleteVolume(backend, clone.id, await identityOf(backend), undefined);
  expect(host.jobs.size).toBe(0);
});

test("what a run returned is acknowledged when its engine ends in order, and left to be resumed when it does not", async () => {
  const { backend, directory } = localBackend();
  const killed = await create(backend);
  backend.noteReturned(killed.id);
  await backend.close({ stateIsKept: false });
  const second = localBackend({ directory }).backend;
  const resumed = await create(second);
  expect(resumed).toMatchObject({ id: killed.id, phase: "unacknowledged" });
  second.noteReturned(resumed.id);
  await second.close({ stateIsKept: true });
  await expect(create(localBackend({ directory }).backend)).rejects.toMatchObject({ kind: "AlreadyExists" });
});

test("storage that has lost its identity gets no new one while there is anything on it", async () => {
  const { backend, directory } = localBackend();
  const volume = await create(backend);
  rmSync(`${directory}/.breezeblock/identity`);
  const next = localBackend({ directory }).backend;
  await expect(create(next, { name: "other" })).rejects.toMatchObject({ kind: "BackendIdentityMismatch" });
  expect(existsSync(`${directory}/.breezeblock/identity`)).toBe(false);
  expect(readdirSync(directory)).toContain(`volume-${volume.id}.raw`);
});

test("empty storage gets an identity from the first volume only, and from none where a state holds volumes", async () => {
  const { backend, directory } = localBackend();
  const volumeId = "6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11";
  const request = { volumeId, connector: { host: "web1" }, mode: "rw" } as const;
  const mismatch = { kind: "BackendIdentityMismatch" };
  await expect(attach(backend, request, undefined)).rejects.toMatchObject(mismatch);
  const informed = localBackend({ directory }).backend;
  informed.noteState(volumeId, "11111111-2222-4333-8444-555555555555");
  await expect(create(informed)).rejects.toMatchObject(mismatch);
  expect(readdirSync(directory)).toEqual([]);
  await Promise.all([create(backend), create(backend, { name: "other" })]);
});

test("an attachment of a damaged volume is neither there nor gone", async () => {
  const { backend, directory } = localBackend();
  const volume = await create(backend);
  const request = { volumeId: volume.id, connector: { host: "web1" }, mode: "rw" } as const;
  const { attachment } = await attach(backend, request, undefined);
  const identity = await identityOf(backend);
  writeFileSync(`${directory}/volume-${volume.id}.json`, "garbage\n");
  const next = localBackend({ directory }).backend;
  const damaged = { kind: "VolumeBackendError" };
  await expect(findAttachment(next, attachment.id, identity, volume.id)).rejects.toMatchObject(damaged);
  await expect(detach(next, attachment.id, identity, volume.id, undefined)).rejects.toMatchObject(damaged);
  const other = await create(next, { name: "other" });
  expect(await findAttachment(next, attachment.id, identity, other.id)).toBeUndefined();
});

test("ATT-1: an attachment whose recording was interrupted is reported for removal", async () => {
  const { backend } = localBackend();
  const volume = await create(backend);
  const record = backend.driver.attachVolume.bind(backend.driver);
  backend.driver.attachVolume = async (...args) => {
    await record(...args);
    throw interrupted();
  };
  const request = { volumeId: volume.id, connector: { host: "web1" }, mode: "rw" } as const;
  const error: unknown = await attach(backend, request, undefined).catch((e) => e);
  expect(error).toBeInstanceOf(HalfMadeError);
  const { uuid } = error as HalfMadeError;
  const identity = await identityOf(backend);
  expect(await findAttachment(backend, uuid, identity, volume.id)).toBeDefined();
  await detach(backend, uuid, identity, volume.id, undefined);
  await deleteVolume(backend, volume.id, identity, undefined);
});

test("CON-2: an attachment that was recorded but not granted is taken back", async () => {
  const { backend } = localBackend();
  const volume = await create(backend);
  backend.target.initializeConnection = async () => {
    throw new StorageError({ kind: "VolumeBackendError", action: "grant access", reason: "no portal" });
  };
  const request = { volumeId: volume.id, connector: { host: "web1" }, mode: "rw" } as const;
  await expect(attach(backend, request, undefined)).rejects.toThrow("no portal");
  await deleteVolume(backend, volume.id, await identityOf(backend), undefined);
});

/** The next deletion of a volume clears it by a job, as thick storage does. The file is what stands for its data. */
function clearsOnDelete(backend: Backend) {
  const { driver } = backend;
  const remove = driver.deleteVolume.bind(driver);
  const list = driver.inventory.bind(driver);
  const deleting = new Set<string>();
  const marked = <I extends Inventory>(inventory: I): I => ({
    ...inventory,
    volumes: new Map(
      [...inventory.volumes].map(([id, volume]) => [
        id,
        deleting.has(id) ? { ...volume, phase: "deleting" as const } : volume,
      ]),
    ),
  });
  driver.inventory = async (context) => marked(await list(context));
  driver.deleteVolume = async (id) => {
    deleting.add(id);
    return { state: "working", job: { id: `wipe-${id}`, directory: "/tmp", argv: ["true"] } };
  };
  driver.completeDeletion = async (id, owner, context) => {
    deleting.delete(id);
    await remove(id, owner, context);
  };
}

test("DEL-1: a deletion that was broken off is rejoined; its name is free, and nothing else is done with it", async () => {
  const { backend, host } = localBackend();
  const volume = await create(backend);
  const identity = await identityOf(backend);
  clearsOnDelete(backend);
  const runJob = host.runJob.bind(host);
  host.runJob = async (job) => {
    host.jobs.add(job.id);
    throw interrupted();
  };
  await expect(deleteVolume(backend, volume.id, identity, undefined)).rejects.toMatchObject({
    kind: "Cancelled",
  });
  expect(await findVolume(backend, volume.id, identity)).toMatchObject({ phase: "deleting" });
  const source = { kind: "volume", id: volume.id } as const;
  await expect(create(backend, { name: "copy", source })).rejects.toThrow("being deleted");
  const request = { volumeId: volume.id, connector: { host: "web1" }, mode: "rw" } as const;
  await expect(attach(backend, request, undefined)).rejects.toThrow("being deleted");
  const successor = await create(backend);
  expect(successor.name).toBe(volume.name);
  host.runJob = runJob;
  await deleteVolume(backend, volume.id, identity, undefined);
  expect(await findVolume(backend, volume.id, identity)).toBeUndefined();
  expect(host.jobs.size).toBe(0);
});

test("DEL-1: a clearing that fails is begun again by the next deletion", async () => {
  const { backend, host } = localBackend();
  const volume = await create(backend);
  const identity = await identityOf(backend);
  clearsOnDelete(backend);
  const runJob = host.runJob.bind(host);
  host.runJob = async (job) => {
    host.jobs.add(job.id);
    return { exitCode: 1, stdout: Buffer.alloc(0), stderr: Buffer.from("Input/output error") };
  };
  await expect(deleteVolume(backend, volume.id, identity, undefined)).rejects.toThrow("Input/output error");
  expect(host.jobs.size).toBe(0);
  host.runJob = runJob;
  await deleteVolume(backend, volume.id, identity, undefined);
  expect(await findVolume(backend, volume.id, identity)).toBeUndefined();
});
