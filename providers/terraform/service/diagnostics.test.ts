import { describe, expect, test } from "vitest";
import {
  integer,
  object,
  objectList,
  objectMap,
  string,
  stringList,
  stringMap,
} from "../../../resources/schema/index.ts";
import { StorageError } from "../../../src/contract/index.ts";
import { DiagnosticSeverity } from "../protocol/generated/tfplugin6.ts";
import { Findings, wirePath } from "./diagnostics.ts";

const description = "…";
const host = { port: integer("optional", { description }), keys: stringList("optional", { description }) };
const attributes = {
  name: string("required", { description }),
  labels: stringMap("optional", { description }),
  one: object({ host: object(host, "optional", { description }) }, "optional", { description }),
  hosts: objectMap(host, "optional", { description }),
  portals: objectList(host, "optional", { description }),
};

describe("a path", () => {
  test.each([
    [["name"], [{ attributeName: "name" }]],
    [
      ["labels", "a.b"],
      [{ attributeName: "labels" }, { elementKeyString: "a.b" }],
    ],
    [
      ["one", "host", "port"],
      [{ attributeName: "one" }, { attributeName: "host" }, { attributeName: "port" }],
    ],
    [
      ["hosts", "san 1", "keys", 0],
      [
        { attributeName: "hosts" },
        { elementKeyString: "san 1" },
        { attributeName: "keys" },
        { elementKeyInt: 0 },
      ],
    ],
    [
      ["portals", 2, "port"],
      [{ attributeName: "portals" }, { elementKeyInt: 2 }, { attributeName: "port" }],
    ],
  ])("says what each step steps into: %j", (path, steps) => {
    expect(wirePath(attributes, path).steps).toEqual(steps);
  });

  test.each([
    [["unheard"], 0],
    [["name", "of"], 1],
    [["portals", "x", "port"], 1],
    [["labels", 0], 1],
    [["hosts", "a", "unheard", "b"], 2],
  ])("ends where the schema does: %j", (path, length) => {
    expect(wirePath(attributes, path).steps).toHaveLength(length);
  });
});

describe("findings", () => {
  test("of a storage error name its place, reason and next step", async () => {
    const findings = new Findings(attributes);
    await findings.attempt(() => {
      throw new StorageError({
        kind: "InvalidInput",
        action: "use the host",
        reason: "port 0 is none",
        nextStep: "Take another",
        host: "san1",
        attribute: ["hosts", "san1", "port"],
      });
    });
    expect(findings.failed).toBe(true);
    expect(findings.wire()).toEqual([
      {
        severity: DiagnosticSeverity.ERROR,
        summary: "Unable to use the host",
        detail: 'On host "san1": port 0 is none. Take another.',
        attribute: {
          // All that an engine finds its way to.
          steps: [{ attributeName: "hosts" }, { elementKeyString: "san1" }],
        },
      },
    ]);
  });

  test("of warnings alone are no failure", () => {
    const findings = new Findings(attributes);
    findings.warn({ summary: "Mind this", detail: "Or that." });
    expect(findings.failed).toBe(false);
    expect(findings.wire()).toEqual([
      { severity: DiagnosticSeverity.WARNING, summary: "Mind this", detail: "Or that." },
    ]);
  });

  test("whose place is not in this schema have none", () => {
    const findings = new Findings({});
    findings.warn({ summary: "Mind this", detail: "Or that.", path: ["name"] });
    expect(findings.wire()[0]).not.toHaveProperty("attribute");
  });

  test("of anything else say that it is a bug", async () => {
    const findings = new Findings(attributes);
    await findings.attempt(() => {
      throw new TypeError("x is not a function");
    });
    expect(findings.wire()[0]?.detail).toMatch(/bug; please report it[\s\S]*x is not a function/);
  });
});
