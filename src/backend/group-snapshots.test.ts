import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { localBackend } from "../../test/support/backend.ts";
import { StorageError } from "../contract/index.ts";
import type { Backend } from "./backend.ts";
import {
  createGroupSnapshot,
  deleteGroupSnapshot,
  type GroupSnapshot,
  groupSnapshotsIn,
} from "./group-snapshots.ts";
import { HalfMadeError } from "./ownership.ts";
import { createVolume } from "./volumes.ts";

let local: ReturnType<typeof localBackend>;
let backend: Backend;
let group: GroupSnapshot;
let identity: string;

const common = { labels: {}, defaultLabels: {}, deletionProtection: false, settings: {} };

beforeEach(async () => {
  local = localBackend();
  backend = local.backend;
  const volumes = ["data", "log", "index"].map((name) =>
    createVolume(
      backend,
      {
        ...common,
        name,
        namePrefix: null,
        sizeBytes: 1024 ** 2,
        source: null,
        pool: null,
        provisioning: "thin",
        multiattach: false,
      },
      undefined,
    ),
  );
  const volumeIds = (await Promise.all(volumes)).map(({ id }) => id);
  group = await createGroupSnapshot(backend, { ...common, name: "before", volumeIds }, undefined);
  identity = backend.lastIdentity ?? "";
});

/** The backend as the next run has it. */
function nextRun(): Backend {
  return localBackend({ directory: local.directory, host: local.host }).backend;
}

function memberIds(): readonly string[] {
  return group.members.map(({ id }) => id);
}

function snapshotFiles(): readonly string[] {
  return readdirSync(local.directory).filter((name) => name.startsWith("snapshot-"));
}

function damage(id: string | undefined): void {
  writeFileSync(join(local.directory, `snapshot-${id}.json`), "{");
}

test("a group with a damaged member is not deleted, nor forgotten", async () => {
  const [, second] = group.members;
  damage(second?.id);
  const before = snapshotFiles();
  await expect(
    deleteGroupSnapshot(nextRun(), group.id, identity, memberIds(), undefined),
  ).rejects.toMatchObject({ kind: "VolumeBackendError" });
  expect(snapshotFiles()).toEqual(before);
});

test("a group of which only a damaged member is left does not count as deleted", async () => {
  for (const { id } of group.members) damage(id);
  await expect(
    deleteGroupSnapshot(nextRun(), group.id, identity, memberIds(), undefined),
  ).rejects.toMatchObject({ kind: "VolumeBackendError" });
});

test("all of a group are checked and removed in one holding of the lock", async () => {
  const { host } = local;
  const withLock = host.withLock.bind(host);
  let holdings = 0;
  host.withLock = (...args) => {
    holdings += 1;
    return withLock(...args) as never;
  };
  await deleteGroupSnapshot(nextRun(), group.id, identity, memberIds(), undefined);
  expect(holdings).toBe(1);
  expect(groupSnapshotsIn(await nextRun().listing()).size).toBe(0);
  expect(snapshotFiles()).toEqual([]);
  await deleteGroupSnapshot(nextRun(), group.id, identity, memberIds(), undefined);
});

test("what was never finished can be removed though it was to be protected", async () => {
  const volumeIds = group.members.map(({ volumeId }) => volumeId);
  const run = nextRun();
  const { driver } = run;
  const create = driver.createSnapshot.bind(driver);
  let count = 0;
  driver.createSnapshot = (...args) => {
    count += 1;
    if (count < 2) return create(...args);
    throw new StorageError({ kind: "OperationInDoubt", action: "take a snapshot", reason: "It was cut off" });
  };
  const killed = createGroupSnapshot(
    run,
    { ...common, deletionProtection: true, name: "after", volumeIds },
    undefined,
  );
  const left = await killed.catch((error: unknown) => (error instanceof HalfMadeError ? error.uuid : ""));
  expect(groupSnapshotsIn(await nextRun().listing()).get(String(left))).toMatchObject({ isWhole: false });
  await deleteGroupSnapshot(nextRun(), String(left), identity, [], undefined);
  expect([...groupSnapshotsIn(await nextRun().listing()).keys()]).toEqual([group.id]);
});
