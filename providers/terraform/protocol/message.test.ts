import { readFileSync } from "node:fs";
import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { generate } from "../../../scripts/generate-protocol.ts";
import * as tfplugin6 from "./generated/tfplugin6.ts";
import { MalformedMessage, type MessageType } from "./message.ts";

const source = readFileSync(new URL("tfplugin6.proto", import.meta.url), "utf8");
const { root } = protobuf.parse(source);

/** Another implementation, which read the same definition. */
function reference(name: string): protobuf.Type {
  return root.lookupType(`tfplugin6.${name}`);
}

const schema = {
  version: 3,
  block: {
    version: 3,
    description: "A ünïcode description",
    descriptionKind: tfplugin6.StringKind.MARKDOWN,
    attributes: [
      { name: "a", type: Buffer.from('"string"'), required: true },
      {
        name: "b",
        optional: true,
        nestedType: { nesting: tfplugin6.SchemaObjectNestingMode.MAP, attributes: [{ name: "c" }] },
      },
    ],
  },
};

describe("messages", () => {
  test("are written as another implementation reads them", () => {
    const encoded = tfplugin6.GetProviderSchemaResponse.encode({
      provider: schema,
      resourceSchemas: new Map([["breezeblock_thing", schema]]),
      serverCapabilities: { planDestroy: true },
    });
    const type = reference("GetProviderSchema.Response");
    const read = type.toObject(type.decode(encoded), { bytes: String, longs: Number });
    expect(read).toMatchObject({
      provider: { version: 3, block: { attributes: [{ name: "a", required: true }, { name: "b" }] } },
      resourceSchemas: { breezeblock_thing: { block: { description: "A ünïcode description" } } },
      serverCapabilities: { planDestroy: true },
    });
  });

  test("are read as another implementation writes them", () => {
    const type = reference("PlanResourceChange.Request");
    const encoded = type
      .encode({
        typeName: "breezeblock_thing",
        config: { msgpack: Buffer.from([1, 2, 3]) },
        priorPrivate: Buffer.alloc(300, 7),
        clientCapabilities: { writeOnlyAttributesAllowed: true },
      })
      .finish();
    const read = tfplugin6.PlanResourceChangeRequest.decode(encoded);
    expect(read.typeName).toBe("breezeblock_thing");
    expect([...(read.config?.msgpack ?? [])]).toEqual([1, 2, 3]);
    expect(read.priorPrivate.length).toBe(300);
    expect(read.clientCapabilities).toEqual({ deferralAllowed: false, writeOnlyAttributesAllowed: true });
    expect(read.priorState).toBeUndefined();
  });

  test.each([0, 1, 127, 128, 2 ** 31, Number.MAX_SAFE_INTEGER, -1, Number.MIN_SAFE_INTEGER])(
    "carry the number %d",
    (version) => {
      const encoded = tfplugin6.UpgradeResourceStateRequest.encode({ version });
      expect(tfplugin6.UpgradeResourceStateRequest.decode(encoded).version).toBe(version);
      const type = reference("UpgradeResourceState.Request");
      expect(type.toObject(type.decode(encoded), { longs: Number, defaults: true })["version"]).toBe(version);
    },
  );

  test("tell an index of 0 from none", () => {
    const encoded = tfplugin6.AttributePath.encode({ steps: [{ elementKeyInt: 0 }, { attributeName: "" }] });
    expect(tfplugin6.AttributePath.decode(encoded).steps).toEqual([
      { attributeName: undefined, elementKeyString: undefined, elementKeyInt: 0 },
      { attributeName: "", elementKeyString: undefined, elementKeyInt: undefined },
    ]);
  });

  test("carry any text and any bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array(), (summary, json) => {
        const diagnostic = tfplugin6.Diagnostic.encode({ summary });
        expect(tfplugin6.Diagnostic.decode(diagnostic).summary).toBe(summary);
        const value = tfplugin6.DynamicValue.decode(tfplugin6.DynamicValue.encode({ json }));
        expect(Buffer.from(value.json)).toEqual(Buffer.from(json));
      }),
    );
  });

  test("skip fields that are not known", () => {
    const newer = protobuf
      .parse(
        'syntax = "proto3"; message Newer { string type_name = 1; repeated double a = 90; fixed32 b = 91; string c = 92; int64 d = 93; }',
      )
      .root.lookupType("Newer");
    const encoded = newer.encode({ typeName: "x", a: [1.5], b: 3, c: "text", d: 5 }).finish();
    expect(tfplugin6.ReadResourceRequest.decode(encoded).typeName).toBe("x");
  });

  test("that are cut short are refused, never misread", () => {
    const whole = tfplugin6.Diagnostic.encode({ summary: "a summary", detail: "a detail" });
    expect(() => tfplugin6.Diagnostic.decode(whole.subarray(0, whole.length - 3))).toThrow(MalformedMessage);
    expect(() => tfplugin6.Diagnostic.decode(Buffer.alloc(12, 0xff))).toThrow(MalformedMessage);
  });

  test("of random bytes end in an error or a message", () => {
    const type: MessageType<unknown> = tfplugin6.GetProviderSchemaResponse;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          type.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage);
        }
      }),
    );
  });
});

test("the generated file is the definition's", () => {
  const generated = readFileSync(new URL("generated/tfplugin6.ts", import.meta.url), "utf8");
  expect(generate(source, "tfplugin6.proto")).toBe(generated);
});
