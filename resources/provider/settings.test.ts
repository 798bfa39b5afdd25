import { describe, expect, test } from "vitest";
import { parseValues } from "../schema/index.ts";
import { type ProviderConfig, providerAttributes } from "./attributes.ts";
import { mergeConfigs, toSettings } from "./settings.ts";

type Raw = Parameters<typeof parseValues>[1];

function config(raw: Raw): ProviderConfig {
  const { values, diagnostics } = parseValues(providerAttributes, raw);
  expect(diagnostics).toEqual([]);
  return values as unknown as ProviderConfig;
}

const file = { directory: "/srv/volumes" };
const san1 = { address: "san1.example", user: "storage" };

const complaints = (raw: Raw) =>
  toSettings(config(raw), {}).diagnostics.map(({ path, summary }) => [path, summary]);
const host = (settings: Raw, environment = {}) =>
  toSettings(config({ hosts: { h: { ...san1, ...(settings as object) } } }), environment).settings.hosts["h"];

test("the least that is needed", () => {
  const { settings, diagnostics } = toSettings(
    config({ hosts: { san1 }, backends: { demo: { host: "san1", file } } }),
    {},
  );
  expect(diagnostics).toEqual([]);
  expect(settings).toMatchObject({
    owner: "",
    defaultLabels: {},
    deletionProtection: false,
    hosts: {
      san1: { name: "san1", address: "san1.example", become: { method: "none" }, jumpHost: undefined },
    },
    backends: [
      {
        name: "demo",
        aliases: [],
        host: "san1",
        unreachable: "error",
        technology: { technology: "file", directory: "/srv/volumes", format: "raw" },
      },
    ],
  });
});

describe("a host", () => {
  test("is logged in to with the agent only where no key and no password is given", () => {
    const environment = { SSH_AUTH_SOCK: "/run/agent" };
    expect(host({}, environment)?.auth.agentSocket).toBe("/run/agent");
    expect(host({ password: "x" }, environment)?.auth.agentSocket).toBeUndefined();
    expect(host({ private_key_file: "~/key" }, environment)?.auth.agentSocket).toBeUndefined();
    expect(host({ password: "x", agent_socket: "/mine" }, environment)?.auth.agentSocket).toBe("/mine");
  });

  test("has its key checked, whatever is written", () => {
    expect(host({})?.hostKeys).toEqual({ knownHostsFile: undefined });
    expect(host({ host_key: "a", host_keys: ["b"] })?.hostKeys).toEqual({ pinned: ["a", "b"] });
    expect(host({ insecure_accept_any_host_key: false, known_hosts_file: "f" })?.hostKeys).toEqual({
      knownHostsFile: "f",
    });
    expect(host({ insecure_accept_any_host_key: true })?.hostKeys).toEqual({
      insecureAcceptAnyHostKey: true,
    });
  });

  test("counts its times in seconds", () => {
    expect(host({ dial_timeout: 2, keep_alive_interval: 30 })).toMatchObject({
      perDialTimeoutMs: 2_000,
      keepAliveIntervalMs: 30_000,
    });
  });

  test("is reached through others, each with its own settings", () => {
    const hosts = { a: { ...san1, jump_host: "b" }, b: { ...san1, jump_host: "c" }, c: san1 };
    const { settings } = toSettings(config({ hosts }), {});
    expect(settings.hosts["a"]?.jumpHost?.jumpHost?.name).toBe("c");
  });
});

test.each<readonly [string, Raw, readonly string[], string]>([
  [
    "a loop of jump hosts",
    { hosts: { a: { ...san1, jump_host: "a" } } },
    ["hosts", "a", "jump_host"],
    "Circular jump_host",
  ],
  [
    "an unknown jump host",
    { hosts: { a: { ...san1, jump_host: "b" } } },
    ["hosts", "a", "jump_host"],
    "Unknown jump_host",
  ],
  [
    "a jump host of the prototype",
    { hosts: { a: { ...san1, jump_host: "constructor" } } },
    ["hosts", "a", "jump_host"],
    "Unknown jump_host",
  ],
  [
    "two keys",
    { hosts: { a: { ...san1, private_key: "x", private_key_file: "y" } } },
    ["hosts", "a", "private_key"],
    "Conflicting keys",
  ],
  [
    "two ways to check a key",
    { hosts: { a: { ...san1, host_key: "x", known_hosts_file: "y" } } },
    ["hosts", "a"],
    "Conflicting host key",
  ],
  [
    "a password for nothing",
    { hosts: { a: { ...san1, become: "doas", become_password: "x" } } },
    ["hosts", "a", "become_password"],
    "Unused become_password",
  ],
  [
    "no technology",
    { hosts: { a: san1 }, backends: { b: { host: "a" } } },
    ["backends", "b"],
    'Backend "b" needs exactly one',
  ],
  ["an unknown host", { backends: { b: { host: "a", file } } }, ["backends", "b", "host"], "Unknown host"],
  [
    "an alias that is a backend",
    {
      hosts: { a: san1 },
      backends: {
        b: { host: "a", file, aliases: ["c"] },
        c: { host: "a", file: { directory: "/srv/others" } },
      },
    },
    ["backends", "b", "aliases"],
    "Ambiguous alias",
  ],
])("complains of %s, at its place", (_what, raw, path, summary) => {
  expect(complaints(raw)).toContainEqual([path, expect.stringContaining(summary)]);
});

test("what is written over a file wins, entry by entry", () => {
  const base = config({
    owner: "file",
    hosts: { a: san1, b: san1 },
    default_labels: { a: "file", b: "file" },
    deletion_protection: true,
  });
  const over = config({
    owner: "block",
    hosts: { b: { ...san1, port: 2022 } },
    default_labels: { b: "block" },
  });
  expect(mergeConfigs(base, over)).toMatchObject({
    owner: "block",
    hosts: { a: { port: null }, b: { port: 2022 } },
    default_labels: { a: "file", b: "block" },
    deletion_protection: true,
  });
});

test("the owner can come from the environment", () => {
  const environment = { BREEZEBLOCK_OWNER: "acme/env" };
  expect(toSettings(config({}), environment).settings.owner).toBe("acme/env");
  expect(toSettings(config({ owner: "acme/written" }), environment).settings.owner).toBe("acme/written");
  // What the engine knows of the state comes last, wherever the rest of the configuration was written.
  expect(toSettings(config({}), environment, "shop/dev").settings.owner).toBe("acme/env");
  expect(toSettings(config({}), {}, "shop/dev").settings.owner).toBe("shop/dev");
  expect(toSettings(config({ owner: "acme/written" }), {}, "shop/dev").settings.owner).toBe("acme/written");
});
