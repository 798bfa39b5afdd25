import { expect, test } from "vitest";
import { pack, unpack } from "./packing.ts";
import { formatTags, isOurs, type Metadata, parseTags, tagsOf } from "./tags.ts";

const volume: Metadata = {
  kind: "volume",
  id: "3f1c9a52-7d1e-4c3b-9d53-0a4b5c6d7e8f",
  name: "db-data",
  owner: "acme/prod",
  phase: "acknowledged",
  labels: { env: "prod", team: "storage" },
  defaultLabels: { managed_by: "terraform" },
  deletionProtection: false,
  settings: { deletion_policy: "retain" },
  createdAt: "2026-11-24T03:22:25.123Z",
  intendedBytes: null,
  unknown: [],
  multiattach: false,
  formatted: false,
  source: null,
  isFilled: false,
  attachments: [],
};

const snapshot: Metadata = {
  kind: "snapshot",
  id: "3f1c9a52-7d1e-4c3b-9d53-0a4b5c6d7e8e",
  name: "before",
  owner: "",
  phase: "unacknowledged",
  labels: {},
  defaultLabels: {},
  deletionProtection: true,
  settings: {},
  createdAt: "2026-01-02T03:04:05Z",
  intendedBytes: null,
  unknown: [],
  volumeId: volume.id,
};

const attachment = {
  id: "0f1c9a52-7d1e-4c3b-9d53-0a4b5c6d7e8f",
  connector: {
    host: "web1.example",
    initiator: "iqn.1993-08.org.debian:01:1a2b3c4d5e6f",
    nqn: "nqn.2014-08.org.nvmexpress:uuid:7b1c9a52-7d1e-4c3b-9d53-0a4b5c6d7e8f",
  },
  mode: "ro",
  phase: "acknowledged",
  attachedAt: "2026-11-24T03:22:25Z",
} as const;

const filled: Metadata = {
  ...volume,
  phase: "creating",
  deletionProtection: true,
  multiattach: true,
  formatted: true,
  intendedBytes: 3 * 1024 ** 3,
  source: { kind: "snapshot", id: snapshot.id },
  attachments: [
    attachment,
    { ...attachment, id: volume.id, mode: "rw", phase: "unacknowledged", run: "00a1b2c3d4e5f607" },
  ],
};

test.each<[string, Metadata]>([
  ["a volume", volume],
  ["a volume with everything", filled],
  ["a clone", { ...volume, source: { kind: "volume", id: snapshot.id } }],
  ["a volume that is being put back", { ...volume, restoring: snapshot.id }],
  [
    "a volume that is being put back to a snapshot that is used up",
    { ...volume, restoring: snapshot.id, usedSnapshot: { uuid: "a-b", tags: formatTags(snapshot) } },
  ],
  ["a snapshot", snapshot],
  ["names that tags cannot hold", { ...volume, name: "Ünser Band, 1", owner: "a b,c\n" }],
  ["empty names", { ...volume, name: "", owner: "" }],
  ["labels of any kind", { ...volume, labels: { "": "", "k\u0000": "„v“", __proto__x: "1" } }],
  ["long labels", { ...volume, labels: { long: Array.from({ length: 900 }, (_, i) => i * 7919).join("") } }],
  ["fields of a later version", { ...volume, unknown: [{ number: 99, value: Buffer.from("later") }] }],
])("%s comes out of its tags as it went in", (_, metadata) => {
  expect(parseTags(formatTags(metadata))).toEqual(metadata);
});

test("tags keep to what LVM takes, whatever is in them", () => {
  const strange = { ...filled, name: "x".repeat(700), labels: { "é,\"'\n": "\u0000".repeat(3000) } };
  for (const tag of [...formatTags(strange), ...formatTags(filled)]) {
    expect(tag).toMatch(/^[A-Za-z0-9_+.\-/=!:#&]{1,1024}$/);
    expect(isOurs(tag)).toBe(true);
  }
});

test("an administrator can read the name, the owner and the phase", () => {
  expect(formatTags(volume)).toEqual(expect.arrayContaining(["bb.p=a", "bb.n=db-data", "bb.o=acme/prod"]));
});

test("other people's tags are passed over", () => {
  expect(parseTags(["nightly", ...formatTags(volume), "bb", "bb.x-ray"])).toEqual(volume);
});

test("an ordinary volume takes little of the metadata area", () => {
  const length = formatTags(volume).reduce((sum, tag) => sum + tag.length + 4, 0);
  expect(length).toBeLessThan(140);
});

test("the run of an attachment takes a dozen characters of it", () => {
  const length = (more: object) =>
    formatTags({ ...volume, attachments: [{ ...attachment, ...more }] }).join("").length;
  expect(length({ run: "00a1b2c3d4e5f607" }) - length({})).toBeLessThanOrEqual(14);
});

test("more metadata than a volume group should hold is refused", () => {
  const random = Array.from({ length: 20_000 }, (_, index) => (index * 7919 + 13).toString(36)).join("");
  expect(() => tagsOf({ ...volume, labels: { random } }, "create it")).toThrow(/labels/);
});

test.each([
  [["bb.n=db"], "no tag bb.p"],
  [["bb.p=z", "bb.0=AQ"], "no tag bb.p"],
  [["bb.p=a"], "lacks the tag bb.0"],
  [["bb.p=a", "bb.1=AQ"], "lacks the tag bb.0"],
  [["bb.p=a", "bb.0=A"], "base64"],
  [["bb.p=a", "bb.0=CQ"], "newer breezeblock"],
  [["bb.p=a", "bb.0=AgAAAA"], "inflated"],
  [["bb.p=a", "bb.0=AQEQ"], "ends in the middle"],
  [["bb.p=a", "bb.0=AQEBAA"], "not a UUID"],
  [["bb.p=a", `bb.0=${pack([])}`], 'lacks the field "id"'],
])("of %j it is said what is wrong", (tags, words) => {
  expect(() => parseTags(tags)).toThrow(words);
});

test("what was written once is always understood", () => {
  // Written by version 1.0.0; nothing may ever make these unreadable.
  expect(
    parseTags([
      "bb.0=AmMUEAQDR8FGCEOQScTIwMhM18BQ18AoxMDYysDEysA0ipmRiYOTOTWvjAWknUumGnciqOX2YGQQmDlz5kxkY7GaylKemmQokQmObyMTXQNDWExZgSQYGAA",
      ...["bb.n=db", "bb.o=acme/prod", "bb.p=u"],
    ]),
  ).toMatchObject({
    id: "11111111-1111-4111-8111-111111111111",
    name: "db",
    labels: { env: "prod" },
    settings: { deletion_policy: "retain" },
    multiattach: true,
    attachments: [{ connector: { host: "web1", initiator: "iqn.2024-01.example:web1" } }],
  });
});

test("packed records do not depend on how long their values are", () => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
    const fields = [{ number: 7, value: Buffer.alloc(length, "x") }];
    expect(unpack(pack(fields))).toEqual(fields);
  }
});
