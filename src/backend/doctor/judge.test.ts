import { describe, expect, test } from "vitest";
import type {
  Attachment,
  DamagedObject,
  ExportState,
  Leftover,
  SnapshotRecord,
  VolumeRecord,
} from "../../contract/index.ts";
import type { JobStatus } from "../../ssh/index.ts";
import { judge, type Knowledge } from "./judge.ts";

const owner = "acme/prod";
const identity = "VG";
const hostNow = Date.parse("2026-05-31T12:00:00Z");
const now = Date.parse("2026-06-01T12:00:00Z");
const [a, b, c] = ["a", "b", "c"].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
];

const object = {
  ...{
    id: a,
    name: "db",
    owner,
    phase: "acknowledged" as const,
    sizeBytes: 1,
    labels: {},
    defaultLabels: {},
  },
  ...{ deletionProtection: false, settings: {}, createdAt: "2026-01-01T00:00:00Z", location: "/dev/vg0/x" },
} satisfies Omit<SnapshotRecord, "volumeId"> & Partial<VolumeRecord>;
const volume = (changes: Partial<VolumeRecord> = {}): VolumeRecord => ({
  ...object,
  ...{ pool: "p", provisioning: "thin", multiattach: false, source: null, formatted: false, attachments: [] },
  ...changes,
});
const snapshot = (changes: Partial<SnapshotRecord> = {}): SnapshotRecord => ({
  ...object,
  id: b,
  volumeId: a,
  ...changes,
});
const attachment = (changes: Partial<Attachment> = {}): Attachment => ({
  ...{ id: c, connector: { host: "web1", initiator: "iqn.web1" }, mode: "rw", phase: "acknowledged" },
  attachedAt: "2026-01-01T00:00:00Z",
  ...changes,
});
const exported = (volumeId: string, changes: Partial<ExportState> = {}): ExportState => ({
  ...{ volumeId, sizeBytes: 1, fault: null, granted: new Map(), connected: new Set() },
  mark: { owner, identity },
  ...changes,
});

const image = { image: { local_path: "/disk.raw", format: "raw" } };

interface Scene {
  readonly volumes?: readonly VolumeRecord[];
  readonly snapshots?: readonly SnapshotRecord[];
  readonly damaged?: readonly DamagedObject[];
  /** null where the target cannot be asked. */
  readonly exports?: readonly ExportState[] | null;
  readonly jobs?: ReadonlyMap<string, string>;
  /** Of the jobs' records, by the host's clock, which is a day late. */
  readonly writtenAt?: string;
  readonly leftovers?: readonly Leftover[];
  /** What a state holds, here; null for no state. */
  readonly known?: readonly string[] | null;
  readonly orphans?: Knowledge["orphans"];
  readonly statesWrittenAt?: string;
}

function judged(scene: Scene) {
  const byId = <T extends { readonly id: string }>(objects: readonly T[] = []) =>
    new Map(objects.map((one) => [one.id, one]));
  const { known = [] } = scene;
  const knowledge: Knowledge = {
    ids: known === null ? null : new Set(known),
    idsHere: new Set(known ?? []),
    ...{ now, minAgeMs: 3_600_000, orphans: scene.orphans ?? "removable" },
    statesWrittenAt: scene.statesWrittenAt === undefined ? null : Date.parse(scene.statesWrittenAt),
  };
  const { findings, inProgress, retained, unmarked } = judge(
    {
      ...{ backend: "fast", owner, leftovers: scene.leftovers ?? [], hostNow },
      jobs: new Map(
        [...(scene.jobs ?? [])].map(([id, status]) => [
          id,
          { status: status as JobStatus, writtenAt: Date.parse(scene.writtenAt ?? "2026-01-01T00:00:00Z") },
        ]),
      ),
      inventory: {
        ...{
          identity,
          volumes: byId(scene.volumes),
          snapshots: byId(scene.snapshots),
          damaged: byId(scene.damaged),
        },
      },
      exports: scene.exports === null ? null : new Map(scene.exports?.map((one) => [one.volumeId, one])),
      jobsOf: (id) => ["copy", "stage"].map((purpose) => ({ id: `${purpose}-${id}`, directory: "/jobs" })),
      initiatorOf: ({ initiator = "" }) => initiator,
    },
    knowledge,
  );
  const short = (list: typeof findings) =>
    list.map(({ id, condition, removable }) => [id, condition, removable]);
  return {
    findings: short(findings),
    inProgress: inProgress.map(({ id }) => id),
    retained: retained.map(({ id }) => id),
    unmarked,
  };
}

const nothing = { findings: [], inProgress: [], retained: [], unmarked: 0 };

describe("a volume", () => {
  test.each<readonly [string, Scene, object]>([
    ["that a state holds", { volumes: [volume()], known: [a] }, {}],
    ["that no state holds", { volumes: [volume()] }, { findings: [[`fast/${a}`, "orphan", true]] }],
    ["where there is no state", { volumes: [volume()], known: null }, {}],
    ["of another owner", { volumes: [volume({ owner: "acme/stage" })] }, {}],
    ["without an owner", { volumes: [volume({ owner: "" })] }, {}],
    [
      "that is protected",
      { volumes: [volume({ deletionProtection: true })] },
      { findings: [[`fast/${a}`, "orphan", false]] },
    ],
    ["that is retained", { volumes: [volume({ phase: "retained" })] }, { retained: [`fast/${a}`] }],
    [
      "that was retained and is in a state again",
      { volumes: [volume({ phase: "retained" })], known: [a] },
      {},
    ],
    [
      "whose snapshot a state holds",
      { volumes: [volume()], snapshots: [snapshot()], known: [b] },
      { findings: [[`fast/${a}`, "orphan", false]] },
    ],
    [
      "that is attached by somebody's state",
      { volumes: [volume({ attachments: [attachment()] })], known: [c] },
      { findings: [[`fast/${a}`, "orphan", false]] },
    ],
    [
      "that is half-made",
      { volumes: [volume({ phase: "creating" })], known: null },
      { findings: [[`fast/${a}`, "half_made", true]] },
    ],
    [
      "that is half-deleted",
      { volumes: [volume({ phase: "deleting" })], known: null },
      { findings: [[`fast/${a}`, "half_made", true]] },
    ],
    [
      "that is being copied to",
      { volumes: [volume({ phase: "creating" })], jobs: new Map([[`copy-${a}`, "running"]]) },
      { inProgress: [`fast/${a}`] },
    ],
    [
      "that an image is fetched for",
      {
        volumes: [volume({ phase: "creating", settings: image })],
        jobs: new Map([[`stage-${a}`, "running"]]),
      },
      { inProgress: [`fast/${a}`] },
    ],
    [
      "that an image may be sent to, which no job does",
      { volumes: [volume({ phase: "creating", settings: image })] },
      { findings: [[`fast/${a}`, "half_made", "forced"]] },
    ],
    [
      "that an image was for, and that is being deleted",
      { volumes: [volume({ phase: "deleting", settings: image })] },
      { findings: [[`fast/${a}`, "half_made", true]] },
    ],
    [
      "that was filled for hours, and may have become whole just now",
      { volumes: [volume({ phase: "unacknowledged", settings: image })] },
      { findings: [[`fast/${a}`, "orphan", "forced"]] },
    ],
    [
      "that was copied for hours",
      { volumes: [volume({ phase: "unacknowledged", source: { kind: "volume", id: b } })] },
      { findings: [[`fast/${a}`, "orphan", "forced"]] },
    ],
    [
      "that was cleared for hours",
      { volumes: [volume({ phase: "unacknowledged", provisioning: "thick" })] },
      { findings: [[`fast/${a}`, "orphan", "forced"]] },
    ],
    [
      "that grows",
      { volumes: [volume()], jobs: new Map([[`copy-${a}`, "running"]]) },
      { inProgress: [`fast/${a}`, `fast/job:copy-${a}`] },
    ],
    [
      "that is new and unacknowledged",
      { volumes: [volume({ phase: "unacknowledged", createdAt: "2026-06-01T11:30:00Z" })] },
      { inProgress: [`fast/${a}`] },
    ],
    [
      "of tomorrow, by this clock",
      { volumes: [volume({ phase: "creating", createdAt: "2026-06-02T11:30:00Z" })] },
      { inProgress: [`fast/${a}`] },
    ],
    [
      "that is being moved",
      { volumes: [volume({ settings: { move: { to: "bulk" } } })] },
      { inProgress: [`fast/${a}`] },
    ],
    [
      "that is new, and is in a state that was read too early",
      { volumes: [volume({ createdAt: "2026-06-01T11:30:00Z" })] },
      { inProgress: [`fast/${a}`] },
    ],
    [
      "that is new, and being deleted",
      { volumes: [volume({ phase: "deleting", createdAt: "2026-06-01T11:30:00Z" })] },
      { inProgress: [`fast/${a}`] },
    ],
    [
      "that is as old as the states",
      { volumes: [volume()], statesWrittenAt: "2026-01-01T00:00:00Z" },
      { findings: [[`fast/${a}`, "orphan", true]] },
    ],
    [
      "that is younger than the states",
      { volumes: [volume()], statesWrittenAt: "2025-12-31T23:59:59Z" },
      { findings: [[`fast/${a}`, "orphan", false]] },
    ],
    [
      "that is old and unacknowledged",
      { volumes: [volume({ phase: "unacknowledged" })] },
      { findings: [[`fast/${a}`, "orphan", true]] },
    ],
  ])("%s", (_what, scene, expected) => expect(judged(scene)).toEqual({ ...nothing, ...expected }));
});

describe("where states cannot tell", () => {
  const attached = volume({ attachments: [attachment()] });

  test("whose a backend's objects are, they are shown, and not removed", () => {
    expect(judged({ volumes: [attached], snapshots: [snapshot()], orphans: "shown" }).findings).toEqual([
      [`fast/${a}`, "orphan", false],
      [`fast/${b}`, "orphan", false],
      [`fast/${c}`, "orphan", false],
    ]);
  });

  test("anything, only what needs no state to be judged is listed, and nothing of what they hold", () => {
    const half = volume({ id: b, phase: "creating" });
    const scene = { volumes: [attached, half], orphans: "unknown" } as const;
    expect(judged(scene)).toEqual({ ...nothing, findings: [[`fast/${b}`, "half_made", true]] });
    expect(judged({ ...scene, known: [b] })).toEqual(nothing);
  });
});

describe("an attachment that no state holds", () => {
  const volumes = [volume({ attachments: [attachment()] })];
  test.each<readonly [string, Partial<ExportState>, boolean | "forced"]>([
    ["of a consumer that has no access", {}, true],
    ["of one that is not connected", { granted: new Map([["iqn.web1", "rw"]]) }, true],
    [
      "of one that is",
      { granted: new Map([["iqn.web1", "rw"]]), connected: new Set(["iqn.web1"]) },
      "forced",
    ],
    ["of one that may be", { granted: new Map([["iqn.web1", "rw"]]), connected: null }, "forced"],
  ])("%s", (_what, state, removable) => {
    const scene = { volumes, exports: [exported(a, state)], known: [a] };
    expect(judged(scene)).toEqual({ ...nothing, findings: [[`fast/${c}`, "orphan", removable]] });
  });

  test("of one that may be, where the target cannot be asked, nor whether somebody uses the volume itself", () => {
    expect(judged({ volumes, exports: null }).findings).toEqual([
      [`fast/${a}`, "orphan", "forced"],
      [`fast/${c}`, "orphan", "forced"],
    ]);
  });

  test("is nothing without a state, or new", () => {
    expect(judged({ volumes, known: null })).toEqual(nothing);
    for (const phase of ["unacknowledged", "acknowledged"] as const) {
      const young = attachment({ phase, attachedAt: "2026-06-01T11:59:00Z" });
      expect(judged({ volumes: [volume({ attachments: [young] })], known: [a] })).toEqual({
        ...nothing,
        inProgress: [`fast/${c}`],
      });
    }
  });

  test("is not removed where it is younger than the states", () => {
    const scene = { volumes, known: [a], statesWrittenAt: "2025-12-31T23:59:59Z" };
    expect(judged(scene).findings).toEqual([[`fast/${c}`, "orphan", false]]);
  });
});

describe("an export", () => {
  test.each<readonly [string, Scene, readonly unknown[]]>([
    ["of a volume that vanished", { exports: [exported(b)] }, [[`fast/export:${b}`, "left_over", true]]],
    ["of another owner", { exports: [exported(b, { mark: { owner: "acme/stage", identity } })] }, []],
    ["of other storage", { exports: [exported(b, { mark: { owner, identity: "another" } })] }, []],
    ["without a mark", { exports: [exported(b, { mark: null })] }, []],
    [
      "without a mark, of a volume that a state has here",
      { exports: [exported(b, { mark: null })], known: [b] },
      [[`fast/export:${b}`, "left_over", true]],
    ],
    [
      "of a damaged volume",
      { exports: [exported(b)], damaged: [{ id: b, kind: "volume", owner: "x", reason: "r" }] },
      [],
    ],
    [
      "of a volume without attachments",
      { volumes: [volume()], exports: [exported(a)], known: [a] },
      [[`fast/export:${a}`, "left_over", true]],
    ],
    [
      "that somebody is connected to",
      { exports: [exported(b, { granted: new Map([["x", "rw"]]), connected: new Set(["x"]) })] },
      [[`fast/export:${b}`, "left_over", "forced"]],
    ],
    [
      "with access for one who has no attachment",
      {
        volumes: [volume({ attachments: [attachment()] })],
        exports: [
          exported(a, {
            granted: new Map([
              ["iqn.web1", "rw"],
              ["iqn.web2", "rw"],
            ]),
          }),
        ],
        known: [a, c],
      },
      [[`fast/acl:${a}:iqn.web2`, "left_over", true]],
    ],
    [
      "of somebody else's volume",
      {
        volumes: [volume({ owner: "acme/stage" })],
        exports: [exported(a, { granted: new Map([["x", "rw"]]) })],
      },
      [],
    ],
  ])("%s", (_what, scene, findings) => expect(judged(scene)).toEqual({ ...nothing, findings }));
});

describe("what killed runs left", () => {
  const helper: Leftover = {
    kind: "helper",
    name: "bb-x.source",
    objectId: a,
    owner,
    description: "space",
    writtenAt: 0,
  };
  const left = [[`fast/helper:bb-x.source`, "left_over", true]];

  test("is found by its mark, or by an object or state that it belongs to; never without", () => {
    expect(judged({ leftovers: [helper] })).toEqual({ ...nothing, findings: left });
    expect(judged({ leftovers: [{ ...helper, owner: "acme/stage" }] })).toEqual(nothing);
    expect(judged({ leftovers: [{ ...helper, owner: null }] })).toEqual({ ...nothing, unmarked: 1 });
    expect(judged({ leftovers: [{ ...helper, owner: null }], known: [a] })).toEqual({
      ...nothing,
      findings: left,
    });
  });

  test("belongs to what is half-made, or to a job that runs", () => {
    const half = { volumes: [volume({ phase: "creating" })], leftovers: [helper] };
    expect(judged(half).findings).toEqual([[`fast/${a}`, "half_made", true]]);
    const jobs = new Map([[`copy-${a}`, "running"]]);
    const running = { volumes: [volume()], leftovers: [helper], jobs };
    expect(judged({ ...running, known: [a] }).inProgress).toEqual([
      "fast/helper:bb-x.source",
      `fast/job:copy-${a}`,
    ]);
  });

  test("a job's record belongs to its object: left over where that is whole", () => {
    const jobs = new Map([[`copy-${a}`, "lost"]]);
    expect(judged({ jobs, volumes: [volume()], known: [a] }).findings).toEqual([
      [`fast/job:copy-${a}`, "left_over", true],
    ]);
    expect(judged({ jobs, volumes: [volume({ owner: "acme/stage" })] })).toEqual(nothing);
    expect(judged({ jobs })).toEqual(nothing);
    expect(judged({ jobs: new Map([["notes", "ended"]]), volumes: [volume()], known: [a] })).toEqual(nothing);
  });

  test("is left alone where it is new by the host's clock, or of unknown age, or its object's job has just ended", () => {
    for (const writtenAt of [Date.parse("2026-05-31T11:30:00Z"), null]) {
      expect(judged({ leftovers: [{ ...helper, writtenAt }] })).toEqual({
        ...nothing,
        inProgress: ["fast/helper:bb-x.source"],
      });
    }
    const jobs = new Map([[`copy-${a}`, "ended"]]);
    const late = { jobs, volumes: [volume()], leftovers: [helper], writtenAt: "2026-05-31T11:30:00Z" };
    expect(judged({ ...late, known: [a] })).toEqual({
      ...nothing,
      inProgress: ["fast/helper:bb-x.source", `fast/job:copy-${a}`],
    });
    expect(judged({ ...late, volumes: [volume({ phase: "creating" })], leftovers: [] })).toEqual({
      ...nothing,
      inProgress: [`fast/${a}`],
    });
  });

  test("what is damaged is found by its mark, and never removed", () => {
    const damaged = { id: b, kind: "volume", owner, reason: "broken" } as const;
    expect(judged({ damaged: [damaged], known: null }).findings).toEqual([[`fast/${b}`, "damaged", false]]);
    expect(judged({ damaged: [{ ...damaged, owner: null }] })).toEqual({ ...nothing, unmarked: 1 });
    expect(judged({ damaged: [{ ...damaged, owner: "acme/stage" }] })).toEqual(nothing);
  });
});
