import { describe, expect, test } from "vitest";
import { checkConfig, parseValues, type Values } from "../schema/index.ts";
import { connectionAttributes, type ProviderConfig, providerAttributes } from "./attributes.ts";
import { inlineHostSettings, mergeConfigs, toSettings } from "./settings.ts";

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

test("what a backend gives away, and to whom, stands beside its technology", () => {
  const backends = (settings: Raw) =>
    toSettings(
      config({ hosts: { san1 }, backends: { fast: { host: "san1", file, ...(settings as object) } } }),
      {},
    ).settings.backends;
  expect(
    backends({
      reserved_percentage: 10,
      max_over_subscription_ratio: 2.5,
      filter_function: "volume.size < 100",
      goodness_function: "50",
      availability_zone: "north",
      labels: { tier: "gold" },
    }),
  ).toMatchObject([
    {
      placement: {
        reservedPercentage: 10,
        maxOverSubscriptionRatio: 2.5,
        filterFunction: "volume.size < 100",
        goodnessFunction: "50",
        availabilityZone: "north",
        labels: { tier: "gold" },
      },
    },
  ]);
  expect(backends({ max_over_subscription_ratio: "auto" })).toMatchObject([
    { placement: { maxOverSubscriptionRatio: "auto" } },
  ]);
});

test("a function that is no expression is refused, with backend and column", () => {
  const { diagnostics } = toSettings(
    config({
      hosts: { san1 },
      backends: { fast: { host: "san1", file, goodness_function: "volume.size * (2" } },
    }),
    {},
  );
  expect(diagnostics).toEqual([
    expect.objectContaining({
      path: ["backends", "fast", "goodness_function"],
      summary: 'Invalid goodness_function of backend "fast"',
      detail: expect.stringMatching(/^At column 17 of "volume.size \* \(2": .+\.$/),
    }),
  ]);
});

test.each([
  [{ reserved_percentage: 101 }, "reserved_percentage", "A percentage is 0 to 100; 101 is not."],
  [{ max_over_subscription_ratio: "0.5" }, "max_over_subscription_ratio", "a number of at least 1"],
  [{ max_over_subscription_ratio: "lots" }, "max_over_subscription_ratio", "a number of at least 1"],
  [{ labels: { free_capacity_gb: "1" } }, "labels", '"free_capacity_gb" is measured'],
])("%j is refused", (settings, attribute, words) => {
  const found = checkConfig(
    providerAttributes,
    config({ hosts: { san1 }, backends: { fast: { host: "san1", file, ...settings } } }) as unknown as Values,
  );
  expect(found).toEqual([
    expect.objectContaining({
      path: ["backends", "fast", attribute],
      detail: expect.stringContaining(words),
    }),
  ]);
});

describe("a backend", () => {
  const backend = (settings: Raw) =>
    toSettings(
      config({ hosts: { san1 }, backends: { fast: { host: "san1", ...(settings as object) } } }),
      {},
    );
  const lvm = { volume_group: "vg0" };

  test("of LVM clears what was deleted, and has a thin pool only where one is named", () => {
    expect(backend({ lvm }).settings.backends).toMatchObject([
      {
        technology: { technology: "lvm", volumeGroup: "vg0", thinPool: null, volumeClear: "zero" },
        target: { target: "local" },
      },
    ]);
    expect(
      backend({ lvm: { ...lvm, thin_pool: "pool0", volume_clear: "none" } }).settings.backends,
    ).toMatchObject([{ technology: { thinPool: "pool0", volumeClear: "none" } }]);
  });

  test("exports its volumes as it is told", () => {
    const portals = ["10.0.0.5:3260", "[fd00::5]:3260"];
    expect(backend({ lvm, iscsi: { portals, chap: "none" } }).settings.backends).toMatchObject([
      { target: { target: "iscsi", portals, chap: "none" } },
    ]);
    expect(
      backend({ file, nvmet: { portals: ["10.0.0.5"], nqn_prefix: "nqn.2026-01.com.example" } }).settings
        .backends,
    ).toMatchObject([{ target: { target: "nvmet", nqnPrefix: "nqn.2026-01.com.example" } }]);
  });

  test.each<readonly [string, Raw, readonly (string | number)[]]>([
    ["two technologies", { lvm, file }, []],
    [
      "two ways to export",
      { lvm, iscsi: { portals: ["10.0.0.5"] }, nvmet: { portals: ["10.0.0.5"] } },
      ["nvmet"],
    ],
    [
      "qcow2 files to export",
      { file: { ...file, format: "qcow2" }, iscsi: { portals: ["10.0.0.5"] } },
      ["iscsi"],
    ],
    ["no portal", { lvm, iscsi: { portals: [] } }, ["iscsi", "portals"]],
    ["a portal that is none", { lvm, nvmet: { portals: ["10.0.0.5", "san1:x"] } }, ["nvmet", "portals", 1]],
    [
      "a name that is none",
      { lvm, iscsi: { portals: ["10.0.0.5"], iqn_prefix: "me" } },
      ["iscsi", "iqn_prefix"],
    ],
  ])("is refused with %s, at its place", (_what, settings, place) => {
    expect(backend(settings).diagnostics).toMatchObject([{ path: ["backends", "fast", ...place] }]);
  });

  test("on a volume group that another backend has is refused", () => {
    const raw = {
      hosts: { san1 },
      backends: { one: { host: "san1", lvm }, two: { host: "san1", lvm: { ...lvm, thin_pool: "p" } } },
    };
    expect(complaints(raw)).toContainEqual([
      ["backends", "one"],
      expect.stringContaining("are the same storage"),
    ]);
  });
});

test("a machine that a resource names is reached as a host is, and by a host of the provider", () => {
  const { settings } = toSettings(config({ hosts: { bastion: san1 } }), {});
  const { values } = parseValues(connectionAttributes, {
    address: "vm.example",
    user: "app",
    password_env: "APP_PASSWORD",
    host_key: "ssh-ed25519 AAAA",
    become: "sudo",
  });
  expect(inlineHostSettings(values as never, settings.hosts["bastion"], {})).toMatchObject({
    name: "vm.example",
    address: "vm.example",
    auth: { passwordEnvironment: "APP_PASSWORD", agentSocket: undefined },
    hostKeys: { pinned: ["ssh-ed25519 AAAA"] },
    become: { method: "sudo" },
    jumpHost: { name: "bastion" },
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
