import { describe, expect, test } from "vitest";
import { parseStateFile, StateFileError } from "./state-file.ts";

const [one, two, three, four] = [1, 2, 3, 4].map((digit) => `0b7c5d2e-1f3a-4c6b-9d8e-00a1b2c3d4e${digit}`);
const identity = "0d4a4b5e-6f6c-4b1c-8f0e-5b9f1f0f7c11";

const parse = (state: unknown) =>
  parseStateFile("s", typeof state === "string" ? state : JSON.stringify(state));
const found = (state: unknown) =>
  parse(state).objects.map(({ type, backend, uuid }) => `${type} ${backend}/${uuid}`);

/** An entry of `resources` in `terraform.tfstate`. */
function resource(type: string, instances: readonly object[], mode = "managed") {
  return {
    ...{ mode, type, name: "x", provider: 'provider["registry.terraform.io/breezeblock/breezeblock"]' },
    instances: instances.map((attributes) => ({ schema_version: 0, attributes })),
  };
}
const terraform = (...resources: object[]) => ({
  version: 4,
  terraform_version: "1.9.0",
  serial: 3,
  lineage: "l",
  resources,
});

describe("a state of Terraform or OpenTofu", () => {
  test("holds what resources hold, instances that are being replaced as well; not data sources, nor others' resources", () => {
    const state = terraform(
      resource("breezeblock_volume", [
        { id: `fast/${one}`, backend_identity: identity, source: { volume_id: `fast/${four}` } },
        { id: `fast/${two}`, backend_identity: identity },
      ]),
      {
        ...resource("breezeblock_attachment", []),
        instances: [{ deposed: "abcd", attributes: { id: `old/${three}` } }],
      },
      resource("breezeblock_volume", [{ id: `fast/${four}` }], "data"),
      resource("other_volume", [{ id: `fast/${four}` }]),
    );
    expect(found(state)).toEqual([`volume fast/${one}`, `volume fast/${two}`, `attachment old/${three}`]);
    expect(parse(state)).toMatchObject({
      format: "terraform",
      objects: [{ identity }, { identity }, { identity: null }],
    });
  });

  test("has a volume on the backend that it was moved to", () => {
    const moved = { id: `fast/${one}`, backend: "bulk#pool0", backend_identity: identity };
    expect(found(terraform(resource("breezeblock_volume", [moved])))).toEqual([`volume bulk/${one}`]);
  });

  test("what several objects belong to holds all of them, but not the volumes that it only names", () => {
    const group = { id: one, snapshots: { [`fast/${two}`]: `fast/${three}` }, volume_ids: [`fast/${four}`] };
    expect(found(terraform(resource("breezeblock_group_snapshot", [group])))).toEqual([
      `group_snapshot fast/${three}`,
    ]);
  });

  test.each(["volumes", "san1-volume"])(
    "holds the snapshots of a group on a backend that is called %s",
    (backend) => {
      const group = { id: `${backend}/${one}`, volume_ids: [`${backend}/${four}`] };
      const members = { [`${backend}/${four}`]: `${backend}/${three}` };
      const held = [`group_snapshot ${backend}/${one}`, `group_snapshot ${backend}/${three}`];
      const state = terraform(resource("breezeblock_group_snapshot", [{ ...group, snapshot_ids: members }]));
      expect(found(state)).toEqual(held);
      const outputs = { volumeIds: group.volume_ids, snapshotIds: members };
      const resources = [
        {
          urn: "u",
          custom: true,
          id: group.id,
          type: "pulumi-nodejs:dynamic/breezeblock:GroupSnapshot",
          outputs,
        },
      ];
      expect(found({ version: 3, deployment: { manifest: {}, resources } })).toEqual(held);
    },
  );

  test("as show -json prints it, with modules in modules", () => {
    const shown = (type: string, id: string, mode = "managed") => ({ mode, type, name: "x", values: { id } });
    const state = {
      ...{ format_version: "1.0", terraform_version: "1.9.0" },
      values: {
        outputs: { id: { value: `fast/${four}` } },
        root_module: {
          resources: [
            shown("breezeblock_volume", `fast/${one}`),
            shown("breezeblock_volume", `fast/${four}`, "data"),
          ],
          child_modules: [{ child_modules: [{ resources: [shown("breezeblock_snapshot", `fast/${two}`)] }] }],
        },
      },
    };
    expect(found(state)).toEqual([`volume fast/${one}`, `snapshot fast/${two}`]);
    expect(found({ format_version: "1.0" })).toEqual([]);
  });
});

describe("a stack of Pulumi", () => {
  const resources = [
    { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" },
    {
      ...{ urn: "u", custom: true, id: `fast/${one}`, type: "pulumi-nodejs:dynamic/breezeblock:Volume" },
      outputs: { id: `fast/${one}`, backendIdentity: identity },
    },
    { urn: "u", custom: true, id: `fast/${two}`, type: "breezeblock:index:Snapshot", delete: true },
    {
      urn: "u",
      custom: true,
      id: `fast/${three}`,
      type: "pulumi-nodejs:dynamic/breezeblock:Volume",
      external: true,
    },
    { urn: "u", custom: true, id: `fast/${four}`, type: "aws:ebs/volume:Volume" },
  ];

  test.each([
    ["an export", { version: 3, deployment: { manifest: {}, resources } }],
    ["a checkpoint file", { version: 3, checkpoint: { stack: "s", latest: { manifest: {}, resources } } }],
  ])("%s holds what its resources hold, not what a program only reads", (_what, state) => {
    expect(found(state)).toEqual([`volume fast/${one}`, `snapshot fast/${two}`]);
    expect(parse(state)).toMatchObject({ format: "pulumi", objects: [{ identity }, { identity: null }] });
  });

  test("that is empty holds nothing", () => {
    expect(found({ version: 3, deployment: { manifest: {} } })).toEqual([]);
    expect(found({ version: 3, checkpoint: { stack: "s" } })).toEqual([]);
  });
});

test.each<readonly [unknown, string]>([
  ["", "is not JSON"],
  ["[]", "not an object"],
  [{}, "no state that is known"],
  [{ version: 3, serial: 1, modules: [] }, "version 3"],
  [{ version: 2, deployment: {} }, "version 2"],
  [{ serial: 1, lineage: "l", meta: {}, encrypted_data: "x" }, "is encrypted"],
  [{ format_version: "1.2", planned_values: {}, resource_changes: [] }, "is a plan"],
])("%j is refused: %s", (state, words) => {
  expect(() => parse(state)).toThrow(StateFileError);
  expect(() => parse(state)).toThrow(words);
});
