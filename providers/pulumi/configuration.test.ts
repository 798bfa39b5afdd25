import { describe, expect, it } from "vitest";
import { providerSettings } from "./configuration.ts";
import { toyProvider } from "./testing/toy-provider.ts";

const provider = toyProvider();

function settings(config: Record<string, string>) {
  return providerSettings(provider, { rawConfig: config });
}

describe("a stack's configuration", () => {
  it("takes both spellings, at every level, and leaves the keys of maps alone", () => {
    const shelves = {
      my_shelf: { shelfDepth: 40, lamp_names: ["a_b"] },
      myShelf: { shelf_depth: 50, doorKey: "k" },
    };
    expect(
      settings({
        "breezeblock:deepShelves": JSON.stringify(shelves),
        "breezeblock:default_labels": JSON.stringify({ some_label: "x" }),
        "breezeblock:isLocked": "true",
        "other:thing": "y",
      }),
    ).toEqual({
      owner: null,
      config_file: null,
      deep_shelves: {
        my_shelf: { shelf_depth: 40, lamp_names: ["a_b"], door_key: null },
        myShelf: { shelf_depth: 50, lamp_names: null, door_key: "k" },
      },
      default_labels: { some_label: "x" },
      is_locked: true,
    });
  });

  it("keeps text that looks like something else as text", () => {
    expect(settings({ "breezeblock:owner": "123" })).toMatchObject({ owner: "123" });
  });

  it("asks for single keys where the whole cannot be seen", () => {
    const config = { get: (key: string) => (key === "breezeblock:isLocked" ? "false" : undefined) };
    expect(providerSettings(provider, config)).toMatchObject({ is_locked: false });
  });

  it.for([
    [{ "breezeblock:deepShelfs": "{}" }, /there are: configFile, deepShelves/],
    [
      { "breezeblock:deepShelves": '{"a":{"shelfDepth":"deep"}}' },
      /deepShelves\.a\.shelfDepth: .*whole number/,
    ],
    [{ "breezeblock:deepShelves": '{"a":{}}' }, /deepShelves\.a\.shelfDepth: Missing/],
    [{ "breezeblock:deepShelves": '{"a":{"shelf_depth":1,"shelfDepth":1}}' }, /in one spelling/],
    [{ "breezeblock:isLocked": "true", "breezeblock:is_locked": "true" }, /in one spelling/],
    [{ "breezeblock:isLocked": "true" }, /isLocked needs deepShelves/],
    [{ "breezeblock:deepShelves": "not JSON" }, /deepShelves: .*mapping/],
  ] as const)("refuses %j, in the user's own terms", ([config, message]) => {
    expect(() => settings(config)).toThrow(message);
  });

  it("never tells a secret", () => {
    const config = { "breezeblock:deepShelves": '{"a":{"doorKey":{"hush":"hush-hush"},"shelfDepth":1}}' };
    let message = "";
    try {
      settings(config);
    } catch (error) {
      message = String(error instanceof Error ? error.message : error);
    }
    expect(message).toMatch(/doorKey/);
    expect(message).not.toMatch(/hush/);
  });
});
