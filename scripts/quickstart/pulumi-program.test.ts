import { expect, test } from "vitest";
import { programUpTo } from "./pulumi-program.ts";

const text = `import * as breezeblock from "breezeblock/pulumi";

// A volume.
const data = new breezeblock.Volume("data", { size: 1 });

// Its snapshot.
const before = new breezeblock.Snapshot("before", { volumeId: data.id });

const restored = new breezeblock.Volume("restored", {
  source: { snapshotId: before.id },
});

new breezeblock.Attachment("data", { volumeId: data.id });

export const size = data.sizeBytes;
export const path = restored.devicePath;
`;

test("grows with what the program has", () => {
  const first = programUpTo(text, { size: 1, copies: false, attached: false });
  expect(first).toBe(`import * as breezeblock from "breezeblock/pulumi";

// A volume.
const data = new breezeblock.Volume("data", { size: 1 });

export const size = data.sizeBytes;
`);
  const second = programUpTo(text, { size: 1, copies: true, attached: false });
  expect(second).toContain("new breezeblock.Snapshot(");
  expect(second).toContain("export const path");
  expect(second).not.toContain("Attachment");
  expect(programUpTo(text, { size: 1, copies: true, attached: true })).toBe(text);
});
