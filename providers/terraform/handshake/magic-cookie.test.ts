import { expect, test } from "vitest";
import { refusal } from "./magic-cookie.ts";

const cookie = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

test("a person is told what this is and how it is used", () => {
  expect(refusal({})).toMatch(/provider for Terraform and OpenTofu[\s\S]*dev_overrides[\s\S]*--debug/);
  expect(refusal({ TF_PLUGIN_MAGIC_COOKIE: "another" })).toMatch(/not run by hand/);
});

test("an engine is served", () => {
  expect(refusal({ TF_PLUGIN_MAGIC_COOKIE: cookie })).toBeUndefined();
  expect(refusal({ TF_PLUGIN_MAGIC_COOKIE: cookie, PLUGIN_PROTOCOL_VERSIONS: "5,6" })).toBeUndefined();
});

test("an engine that is too old is told so", () => {
  expect(refusal({ TF_PLUGIN_MAGIC_COOKIE: cookie, PLUGIN_PROTOCOL_VERSIONS: "4,5" })).toMatch(
    /speaks version 6[\s\S]*speaks 4, 5/,
  );
});
