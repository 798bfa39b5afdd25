import { expect, it } from "vitest";
import { generateClasses } from "./generate.ts";
import { toyProvider } from "./testing/toy-provider.ts";

const text = generateClasses(toyProvider());

it("types inputs and outputs by the declaration", () => {
  expect(text).toContain("  readonly size: pulumi.Input<number>;\n");
  expect(text).toContain("  readonly paintColour?: pulumi.Input<string | undefined>;\n");
  expect(text).toContain(
    "  readonly boxLabels?: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> } | undefined>;\n",
  );
  expect(text).toContain("  readonly lid?: pulumi.Input<BoxLidArgs | undefined>;\n");
  expect(text).toContain("  declare readonly lid: pulumi.Output<BoxLid | undefined>;\n");
  expect(text).toContain("  declare readonly changedAt: pulumi.Output<number>;\n");
  expect(text).not.toContain("changedAt?:");
});

it("says in comments what a property is for, its default, and whether it replaces", () => {
  expect(text).toContain("/** How many hinges. Default: `2`. */");
  expect(text).toContain("/** The colour. A change makes a new object in place of the old one. */");
});

it("has secrets encrypted in state", () => {
  expect(text).toContain('secrets: ["secretCode"]');
});

it("makes a function of a data source, plain and for outputs", () => {
  expect(text).toContain("export function getBox(args: GetBoxArgs): Promise<GetBoxResult> {");
  expect(text).toContain(
    "export function getBoxOutput(args: GetBoxOutputArgs): pulumi.Output<GetBoxResult> {",
  );
  expect(text).toContain("  readonly foundSize?: number | undefined;");
});

it("makes a function with a secret result of what is ephemeral", () => {
  expect(text).toContain(
    "export function getShelfKey(args: GetShelfKeyArgs): pulumi.Output<GetShelfKeyResult> {\n  return readSecrets(",
  );
  expect(text).toContain("  readonly shelfName: pulumi.Input<string>;");
});
