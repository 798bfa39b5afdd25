import { describe, expect, test } from "vitest";
import {
  boolean,
  checkConfig,
  choice,
  defineResource,
  fitState,
  integer,
  object,
  objectMap,
  parseValues,
  planChange,
  string,
  stringList,
  stringMap,
  UNKNOWN,
  type Values,
} from "./index.ts";

const description = "For tests.";
const attributes = {
  id: string("computed", { description }),
  name: string("required", {
    description,
    validators: [
      { description: "be short", check: (value) => (value.length > 5 ? "It is too long." : undefined) },
    ],
  }),
  size: integer("optional_computed", { description }),
  mode: choice(["rw", "ro"], "defaulted", { description, default: "rw", replaces: true }),
  labels: stringMap("optional", { description }),
  peers: stringList("optional", { description }),
  place: object(
    { row: integer("required", { description }), rack: string("optional", { description }) },
    "optional",
    {
      description,
      replaces: true,
    },
  ),
  ports: objectMap({ open: boolean("required", { description }) }, "optional", { description }),
  seen: integer("computed", { description, volatile: true }),
} as const;

const unset: Values = Object.fromEntries(Object.keys(attributes).map((name) => [name, null]));

describe("checkConfig", () => {
  const complaints = (config: Values) =>
    checkConfig(attributes, { ...unset, name: "a", ...config }).map(({ path, summary }) => [path, summary]);

  test("takes what is right, and what is unknown to be right", () => {
    expect(complaints({})).toEqual([]);
    expect(
      complaints({ name: UNKNOWN, place: UNKNOWN, labels: { a: UNKNOWN }, ports: { a: { open: UNKNOWN } } }),
    ).toEqual([]);
  });

  test.each<readonly [string, Values, readonly (string | number)[], string]>([
    ["what is missing", { name: null }, ["name"], "Missing name"],
    ["what is missing inside", { place: { row: null, rack: "b" } }, ["place", "row"], "Missing place.row"],
    [
      "what is missing in an entry",
      { ports: { "a b": { open: null } } },
      ["ports", "a b", "open"],
      'Missing ports["a b"].open',
    ],
    ["a null entry", { ports: { a: null } }, ["ports", "a"], "Invalid ports.a"],
    ["a null label", { labels: { a: null } }, ["labels", "a"], "Invalid labels.a"],
    ["a null item", { peers: ["a", null] }, ["peers", 1], "Invalid peers[1]"],
    ["what the provider sets", { id: "x" }, ["id"], "Invalid id"],
    ["what a validator refuses", { name: "too long" }, ["name"], "Invalid name"],
    ["a word that is no choice", { mode: "wr" }, ["mode"], "Invalid mode"],
  ])("complains of %s, at its place", (_what, config, path, summary) => {
    expect(complaints(config)).toEqual([[path, summary]]);
  });
});

describe("parseValues", () => {
  test("has every attribute, null where nothing is written", () => {
    expect(parseValues(attributes, { name: "a" })).toEqual({
      values: { ...unset, name: "a" },
      diagnostics: [],
    });
    expect(parseValues(attributes, null)).toEqual({ values: unset, diagnostics: [] });
  });

  test("takes the texts that YAML and Pulumi's configuration make of other things", () => {
    const { values, diagnostics } = parseValues(attributes, {
      name: 7,
      size: "3",
      ports: { a: { open: "true" } },
    });
    expect(diagnostics).toEqual([]);
    expect(values).toMatchObject({ name: "7", size: 3, ports: { a: { open: true } } });
  });

  test("keeps the unknown", () => {
    expect(parseValues(attributes, { name: UNKNOWN, place: { row: UNKNOWN } }).values).toMatchObject({
      name: UNKNOWN,
      place: { row: UNKNOWN, rack: null },
    });
  });

  test.each<readonly [string, Parameters<typeof parseValues>[1], readonly (string | number)[]]>([
    ["an unknown name", { nmae: "a" }, ["nmae"]],
    ["an unknown name inside", { place: { row: 1, shelf: 2 } }, ["place", "shelf"]],
    ["a list for a mapping", { labels: ["a"] }, ["labels"]],
    ["a mapping for text", { name: {} }, ["name"]],
    ["text for a number", { size: "big" }, ["size"]],
    ["a number for true or false", { ports: { a: { open: 1 } } }, ["ports", "a", "open"]],
    ["a mapping in a list", { peers: ["a", {}] }, ["peers", 1]],
  ])("complains of %s, at its place", (_what, raw, path) => {
    expect(parseValues(attributes, raw).diagnostics.map((diagnostic) => diagnostic.path)).toEqual([path]);
  });

  test("takes no list for the whole", () => {
    expect(parseValues(attributes, ["a"]).diagnostics).toMatchObject([
      { detail: expect.stringContaining("not a list") },
    ]);
  });

  test("names from the prototype are nothing special", () => {
    const raw = JSON.parse('{"__proto__": {"name": "a"}, "labels": {"constructor": "x", "toString": "y"}}');
    const { values, diagnostics } = parseValues(attributes, raw);
    expect(diagnostics.map(({ path }) => path)).toEqual([["__proto__"]]);
    expect(values["labels"]).toEqual({ constructor: "x", toString: "y" });
  });
});

test("fitState drops what no longer exists, adds what is new, and keeps out what changed its shape", () => {
  expect(fitState(attributes, { name: "a", gone: 1, size: "many", place: { row: 1, gone: 2 } })).toEqual({
    ...unset,
    name: "a",
    place: { row: 1, rack: null },
  });
});

describe("planChange", () => {
  const resource = defineResource<typeof attributes>({
    name: "thing",
    description,
    version: 0,
    attributes,
    identity: {},
    timeouts: { create: 1, read: 1, update: 1, delete: 1 },
    plan: async (_context, { planned, replace, private: data }) => ({ planned, replace, private: data }),
    read: async (_context, state) => state,
    create: async () => Promise.reject(new Error("not part of a plan")),
    update: async () => Promise.reject(new Error("not part of a plan")),
    delete: async () => undefined,
    import: async () => Promise.reject(new Error("not part of a plan")),
  });
  const prior: Values = { ...unset, id: "1", name: "a", size: 3, mode: "rw", seen: 3 };
  const plan = (config: Values, before: Values | null = prior) =>
    planChange(resource, null, { config: { ...unset, name: "a", ...config }, prior: before, private: {} });

  test("a creation has defaults, and what is computed is unknown", async () => {
    expect(await plan({ place: { row: 1, rack: null } }, null)).toMatchObject({
      planned: {
        ...unset,
        id: UNKNOWN,
        name: "a",
        size: UNKNOWN,
        mode: "rw",
        seen: UNKNOWN,
        place: { row: 1, rack: null },
      },
      replace: [],
    });
  });

  test("what is not written keeps its computed value, and nothing changes", async () => {
    expect(await plan({})).toMatchObject({ planned: prior, replace: [] });
  });

  test("what is volatile is unknown as soon as anything changes", async () => {
    expect(await plan({ labels: { a: "b" } })).toMatchObject({
      planned: { ...prior, labels: { a: "b" }, seen: UNKNOWN },
      replace: [],
    });
  });

  test("names what replaces, also where it is not known yet", async () => {
    expect((await plan({ mode: "ro" })).replace).toEqual([["mode"]]);
    expect((await plan({ place: UNKNOWN })).replace).toEqual([["place"]]);
    expect((await plan({ place: { row: 1, rack: null } })).replace).toEqual([["place"]]);
  });
});
