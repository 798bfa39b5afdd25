import { describe, expect, it } from "vitest";
import { camelCase, camelText, formatCamelPath, pascalCase, renamedNames } from "./names.ts";
import { toyProvider } from "./testing/toy-provider.ts";

const provider = toyProvider();

describe("names", () => {
  it("are in camel case in Pulumi, classes in Pascal case", () => {
    expect(camelCase("private_key_file")).toBe("privateKeyFile");
    expect(camelCase("nqn")).toBe("nqn");
    expect(pascalCase("storage_volume")).toBe("StorageVolume");
  });

  it("are translated in paths, but not the keys of maps", () => {
    const path = ["deep_shelves", "my_shelf", "lamp_names", 0];
    expect(formatCamelPath(provider.attributes, path)).toBe("deepShelves.my_shelf.lampNames[0]");
    expect(formatCamelPath(provider.attributes, ["default_labels", "some_label"])).toBe(
      "defaultLabels.some_label",
    );
    expect(formatCamelPath(provider.attributes, ["nothing_known"])).toBe("nothing_known");
  });

  it("are translated in texts, as whole words", () => {
    expect(camelText(renamedNames(provider), "Set `door_key`, not my_door_key, box_labels.")).toBe(
      "Set `doorKey`, not my_door_key, boxLabels.",
    );
  });
});
