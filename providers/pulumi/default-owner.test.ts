import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { defaultOwner } from "./default-owner.ts";

const selfManaged = "organization/shop/prod";

function project(): string {
  const directory = mkdtempSync(join(tmpdir(), "breezeblock-owner-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function ownerAt(url: string): string {
  return defaultOwner(selfManaged, { environment: { PULUMI_BACKEND_URL: url }, directory: "/" });
}

it("is the stack's full name on Pulumi Cloud, where that is unique", () => {
  expect(defaultOwner("acme/shop/prod", { environment: {}, directory: "/" })).toBe("acme/shop/prod");
});

it("tells self-managed states apart by their place, and only by that", () => {
  expect(ownerAt("s3://one")).toMatch(/^shop\/prod\/[0-9a-f]{8}$/);
  expect(ownerAt("s3://one")).toBe(ownerAt("s3://one?region=eu-west-1&profile=me"));
  expect(ownerAt("s3://one")).not.toBe(ownerAt("s3://two"));
  expect(ownerAt("file:///a")).not.toBe(ownerAt("file:///b"));
});

it("looks for the place where Pulumi does: environment, project file, last login", () => {
  const directory = project();
  const home = join(directory, "home");
  mkdirSync(join(directory, "nested"));
  mkdirSync(home);
  const at = (environment: Record<string, string>) =>
    defaultOwner(selfManaged, {
      environment: { PULUMI_HOME: home, ...environment },
      directory: join(directory, "nested"),
    });

  const nowhere = at({});
  writeFileSync(join(home, "credentials.json"), JSON.stringify({ current: "s3://login" }));
  expect(at({})).toBe(ownerAt("s3://login"));
  expect(at({})).not.toBe(nowhere);
  writeFileSync(join(directory, "Pulumi.yaml"), "name: shop\nbackend:\n  url: s3://project\n");
  expect(at({})).toBe(ownerAt("s3://project"));
  expect(at({ PULUMI_BACKEND_URL: "s3://environment" })).toBe(ownerAt("s3://environment"));
});

it("is none where there is no stack, as under mocks", () => {
  expect(defaultOwner("", { environment: {}, directory: "/" })).toBe("");
});
