import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSidecar, parseSidecar, type VolumeSidecar } from "./sidecar.ts";

const id = "01234567-89ab-4def-8123-456789abcdef";

const volume: VolumeSidecar = {
  kind: "volume",
  fields: {
    id,
    name: "db",
    owner: "acme/prod",
    phase: "acknowledged",
    format: "raw",
    createdSizeBytes: 4096,
    labels: {},
    defaultLabels: {},
    deletionProtection: false,
    settings: {},
    createdAt: "2026-01-02T03:04:05Z",
    provisioning: "thin",
    multiattach: false,
    source: null,
    formatted: false,
    attachments: [],
  },
  unknown: {},
};

const parse = (text: string) => parseSidecar(Buffer.from(text), "volume", id);

describe("metadata files", () => {
  test("any text comes back exactly, from one line of printable ASCII", () => {
    const text = fc.string({ unit: "binary" });
    const texts = fc.dictionary(text, text);
    fc.assert(
      fc.property(text, texts, texts, fc.jsonValue(), (name, labels, defaultLabels, setting) => {
        const settings = JSON.parse(JSON.stringify({ setting }));
        const sidecar = { ...volume, fields: { ...volume.fields, name, labels, defaultLabels, settings } };
        const line = formatSidecar(sidecar);
        expect(line).toMatch(/^[\x20-\x7e]*$/);
        expect(parse(line)).toEqual({ ...sidecar, fields: { ...sidecar.fields, labels: { ...labels } } });
      }),
    );
  });

  test("a volume from before there were file systems was never formatted", () => {
    const { formatted, ...older } = JSON.parse(formatSidecar(volume));
    expect(formatted).toBe(false);
    expect(parse(JSON.stringify(older))).toEqual(volume);
  });

  test("what a newer version adds is kept", () => {
    const text = JSON.stringify({ ...JSON.parse(formatSidecar(volume)), added: [1] });
    expect(JSON.parse(formatSidecar(parse(text)))).toEqual(JSON.parse(text));
  });

  test("it is read however it is laid out, and in UTF-8", () => {
    const fields = { ...JSON.parse(formatSidecar(volume)), name: "größe" };
    expect(parse(JSON.stringify(fields, null, 2)).fields.name).toBe("größe");
  });

  test.each([
    ["phase", "done"],
    ["format", "vmdk"],
    ["createdSizeBytes", -1],
    ["createdSizeBytes", "4096"],
    ["labels", { a: 1 }],
    ["deletionProtection", 0],
    ["settings", []],
    ["source", { kind: "image", id }],
    ["attachments", [{ id }]],
    ["provisioning", null],
    ["kind", "snapshot"],
  ])("a field %s that is %j is named", (field, value) => {
    const text = JSON.stringify({ ...JSON.parse(formatSidecar(volume)), [field]: value });
    expect(() => parse(text)).toThrow(`"${field}"`);
  });

  test("a missing field is named", () => {
    const { owner, ...rest } = JSON.parse(formatSidecar(volume));
    expect(owner).toBe("acme/prod");
    expect(() => parse(JSON.stringify(rest))).toThrow('lacks the field "owner"');
  });
});
