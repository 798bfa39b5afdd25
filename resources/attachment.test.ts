import { describe, expect, onTestFinished, test } from "vitest";
import { Fleet } from "../src/backend/index.ts";
import { StorageError } from "../src/contract/index.ts";
import { LocalHost } from "../test/support/backend.ts";
import { FakeNetwork } from "../test/support/fake-network.ts";
import { tempDirectory } from "../test/support/temp-directory.ts";
import { provider } from "./index.ts";
import {
  type Ephemeral,
  type HookContext,
  PartialStateError,
  parseValues,
  planChange,
  type Resource,
  type Values,
} from "./schema/index.ts";

const [volume, , attachment] = provider.resources as [Resource, Resource, Resource];
const [connection] = provider.ephemerals as [Ephemeral];

/** A storage host with files, exported to consumers, all of which outlive a run of the provider. */
class World {
  readonly network = new FakeNetwork();
  readonly #directory = tempDirectory();
  readonly #hosts: Record<string, string> = { san: "san.test", app1: "app1.test", app2: "app2.test" };

  /** Takes a host out of the configuration, or puts it in. */
  configure(name: string, address: string | undefined): void {
    if (address === undefined) delete this.#hosts[name];
    else this.#hosts[name] = address;
  }

  run(): Run {
    return new Run(this.network, this.#directory, this.#hosts);
  }

  /** A volume of 1 GiB, and its state. */
  async volume(settings: object = {}): Promise<Values> {
    return this.run().create(volume, { name: "db", size: 1, backend: "fast", ...settings });
  }

  attach(settings: object): Promise<Values> {
    return this.run().create(attachment, settings);
  }

  detach(state: Values): Promise<void> {
    const run = this.run();
    return attachment.delete(run.context, state);
  }

  async refreshed(state: Values): Promise<Values> {
    const run = this.run();
    attachment.noteState(run.fleet, state);
    const read = await attachment.read(run.context, state);
    if (read === null) throw new Error("it is gone");
    return read;
  }

  async statusOf(state: Values): Promise<unknown> {
    return (await this.refreshed(state))["status"];
  }
}

class Run {
  readonly fleet: Fleet;
  readonly context: HookContext;
  readonly warnings: string[] = [];

  constructor(network: FakeNetwork, directory: string, addresses: Readonly<Record<string, string>>) {
    const hosts = Object.fromEntries(
      Object.entries(addresses).map(([name, address]) => [name, { name, address, user: "me", auth: {} }]),
    );
    this.fleet = new Fleet(
      {
        owner: "acme/prod",
        defaultLabels: {},
        deletionProtection: false,
        hosts,
        backends: [
          {
            name: "fast",
            aliases: [],
            host: "san",
            technology: { technology: "file", directory, format: "raw" },
            target: { target: "iscsi", portals: ["10.0.0.5:3260"] },
            unreachable: "error",
          },
        ],
      },
      {
        openHost: (settings) => (settings.name === "san" ? new LocalHost() : network.openHost(settings)),
        rooms: {
          target: () => network.target(),
          connectors: () => new Map([["iSCSI", network.connector()]]),
          filesystems: () => network.filesystemsDriver(),
        },
      },
    );
    onTestFinished(() => this.fleet.close());
    this.context = {
      fleet: this.fleet,
      signal: new AbortController().signal,
      plannedNames: new Set(),
      warn: ({ summary }) => this.warnings.push(summary),
    };
  }

  plan(resource: Resource, config: object, prior: Values | null) {
    const { values, diagnostics } = parseValues(resource.attributes, config as never);
    expect([...diagnostics, ...resource.validate(values)]).toEqual([]);
    return planChange(resource, this.context, { config: values, prior, private: {} });
  }

  async create(resource: Resource, config: object): Promise<Values> {
    const { planned } = await this.plan(resource, config, null);
    return resource.create(this.context, planned, {});
  }

  async update(resource: Resource, config: object, prior: Values): Promise<Values> {
    const { planned, replace } = await this.plan(resource, config, prior);
    expect(replace).toEqual([]);
    return resource.update(this.context, prior, planned, {});
  }
}

const filesystem = { type: "ext4", mount_point: "/srv/db" };
const unreachable = new StorageError({
  kind: "BackendUnreachable",
  action: "reach the host",
  reason: "Nobody answers",
});
const uuidOf = ({ id }: Values): string => String(id).slice("fast/".length);

/** A world with a volume, attached on app1 with a file system. */
async function attached(settings: object = {}) {
  const world = new World();
  const made = await world.volume();
  const config = { volume_id: made["id"], host: "app1", filesystem, ...settings };
  const state = await world.attach(config);
  return { world, network: world.network, machine: world.network.machine("app1.test"), made, config, state };
}

describe("a new attachment", () => {
  test("exports, grants, logs in, formats what is new, and mounts", async () => {
    const { network, machine, made, state } = await attached();
    expect(network.log).toEqual([...["check target", "grant", "log in", "format", "mount /srv/db"]]);
    expect(machine.mounts.get(uuidOf(made))).toMatchObject({ mountPoint: "/srv/db", access: "rw" });
    expect(state).toMatchObject({
      status: "attached",
      size: 1,
      device_path: `/dev/disk/by-id/wwn-${uuidOf(made)}`,
      connection_info: { driver_volume_type: "iSCSI" },
    });
  });

  test("holds no password in its state", async () => {
    const { state } = await attached();
    expect(JSON.stringify(state)).not.toContain("open-sesame");
  });

  test("formats nothing that was formatted before, and nothing that was made from something", async () => {
    const { world, network, made, config, state } = await attached();
    await world.detach(state);
    network.filesystems.clear();
    await expect(world.attach(config)).rejects.toThrow("it holds no file system");
    const copy = await world.volume({ name: "copy", source: { volume_id: made["id"] } });
    await expect(world.attach({ ...config, volume_id: copy["id"] })).rejects.toThrow(
      "it holds no file system",
    );
  });

  test("that fails on the consumer is taken back on both sides", async () => {
    const world = new World();
    const { network } = world;
    const made = await world.volume();
    network.failures.set(
      "mount /srv/db",
      new StorageError({ kind: "InvalidInput", action: "mount", reason: "bad option" }),
    );
    await expect(world.attach({ volume_id: made["id"], host: "app1", filesystem })).rejects.toThrow(
      "bad option",
    );
    expect(network.exports.size).toBe(0);
    expect(network.machine("app1.test").devices.size).toBe(0);
    await volume.delete(world.run().context, made);
  });

  test("whose consumer is lost half-way is kept as partial state, and can be removed when it is back", async () => {
    const world = new World();
    const { network } = world;
    const made = await world.volume();
    network.failures.set("log in", unreachable);
    const config = { volume_id: made["id"], host: "app1", filesystem };
    const error: unknown = await world.attach(config).catch((thrown) => thrown);
    if (!(error instanceof PartialStateError)) throw error;
    expect(network.exports.size).toBe(1);
    await world.detach(error.state);
    expect(network.exports.size).toBe(0);
    await world.attach(config);
  });

  test("makes nothing where its consumer cannot be asked what it is called", async () => {
    const world = new World();
    const made = await world.volume();
    world.network.machine("app1.test").absence = unreachable;
    await expect(world.attach({ volume_id: made["id"], host: "app1" })).rejects.toMatchObject({
      kind: "BackendUnreachable",
    });
    expect(world.network.exports.size).toBe(0);
  });

  test("is refused a size that the volume does not have", async () => {
    const world = new World();
    const made = await world.volume();
    await expect(world.attach({ volume_id: made["id"], host: "app1", volume_size: 2 })).rejects.toMatchObject(
      {
        attribute: ["volume_size"],
      },
    );
  });
});

describe("drift", () => {
  test.each<readonly [string, string, (world: World, volumeId: string) => void]>([
    ["access missing", "access missing", ({ network }, id) => network.exports.get(id)?.granted.clear()],
    ["the export gone", "not exported", ({ network }, id) => network.exports.delete(id)],
    [
      "nobody logged in",
      "not logged in, not mounted",
      ({ network }, id) => {
        network.machine("app1.test").devices.delete(id);
        network.machine("app1.test").mounts.delete(id);
      },
    ],
    ["not mounted", "not mounted", ({ network }, id) => network.machine("app1.test").mounts.delete(id)],
    [
      "not mounted at boot",
      "not mounted at boot",
      ({ network }, id) => {
        const { mounts } = network.machine("app1.test");
        const mount = mounts.get(id);
        if (mount !== undefined) mounts.set(id, { ...mount, isInFstab: false });
      },
    ],
    [
      "a dead session whose device is still mounted",
      "no session is up",
      ({ network }, id) => network.machine("app1.test").dead.add(id),
    ],
    [
      "a file system that stayed smaller than its device",
      "file system not grown",
      ({ network }, id) => network.machine("app1.test").devices.set(id, 2 ** 31),
    ],
    [
      "a file system that shut itself down",
      "file system shut down",
      ({ network }, id) => {
        const { mounts } = network.machine("app1.test");
        const mount = mounts.get(id);
        if (mount !== undefined) mounts.set(id, { ...mount, answers: false });
      },
    ],
    [
      "a device that stayed small",
      "smaller than the volume",
      ({ network }, id) => network.machine("app1.test").devices.set(id, 2 ** 29),
    ],
  ])("%s is shown, planned as a change in place, and repaired", async (_what, status, meddle) => {
    const { world, made, config, state } = await attached();
    expect(await world.statusOf(state)).toBe("attached");
    meddle(world, uuidOf(made));
    const seen = await world.refreshed(state);
    expect(seen["status"]).toBe(status);
    const { planned, replace } = await world.run().plan(attachment, config, seen);
    expect(replace).toEqual([]);
    expect(planned["status"]).toBe("attached");
    const repaired = await world.run().update(attachment, config, seen);
    expect(repaired["status"]).toBe("attached");
    expect(await world.statusOf(repaired)).toBe("attached");
  });

  test("a session that may come back keeps its mount, and what is not written yet", async () => {
    const { world, network, machine, made, config, state } = await attached();
    machine.dead.add(uuidOf(made));
    const seen = await world.refreshed(state);
    network.failures.set(
      "log in",
      new StorageError({ kind: "VolumeBackendError", action: "log in", reason: "no portal answers" }),
    );
    await expect(world.run().update(attachment, config, seen)).rejects.toThrow("no portal answers");
    expect(machine.mounts.has(uuidOf(made))).toBe(true);
  });

  test("costs one listing a side, however many attachments there are", async () => {
    const world = new World();
    const states = await Promise.all(
      ["a", "b", "c"].map(async (name) => {
        const made = await world.volume({ name });
        return world.attach({ volume_id: made["id"], host: "app1" });
      }),
    );
    world.network.log.length = 0;
    const run = world.run();
    for (const state of states) attachment.noteState(run.fleet, state);
    await Promise.all(states.map((state) => attachment.read(run.context, state)));
    expect(world.network.log.sort()).toEqual([
      "check target",
      "list connections",
      "list exports",
      "list mounts",
    ]);
  });

  test("a record that is gone is an attachment that is gone", async () => {
    const { world, state } = await attached();
    await world.detach(state);
    expect(await attachment.read(world.run().context, state)).toBeNull();
  });
});

describe("a consumer that is gone", () => {
  const gone = async () => {
    const made = await attached();
    made.machine.absence = unreachable;
    return made;
  };

  test("is told of in the status, with a warning", async () => {
    const { world, state } = await gone();
    const run = world.run();
    expect(await attachment.read(run.context, state)).toMatchObject({
      status: "consumer unreachable",
      size: 1,
    });
    expect(run.warnings).toEqual([expect.stringContaining("consumer unreachable")]);
  });

  test("keeps its access until force_detach says otherwise", async () => {
    const { world, network, state, config } = await gone();
    await expect(world.detach(state)).rejects.toThrow("force_detach = true");
    expect(network.exports.size).toBe(1);
    const seen = await world.refreshed(state);
    const run = world.run();
    const forced = await run.update(attachment, { ...config, force_detach: true }, seen);
    expect(forced).toMatchObject({ force_detach: true, status: "consumer unreachable" });
    const last = world.run();
    await attachment.delete(last.context, forced);
    expect(last.warnings).toEqual([expect.stringContaining("on the storage side alone")]);
    expect(network.exports.size).toBe(0);
  });

  test("is no reason to update anything else without force_detach", async () => {
    const { world, state, config } = await gone();
    await expect(
      world.run().update(attachment, { ...config, filesystem: { ...filesystem, mode: "0700" } }, state),
    ).rejects.toMatchObject({ kind: "BackendUnreachable" });
  });

  test("is not to be mixed up with a storage host that is gone", async () => {
    const { world, network, state, config } = await attached({ force_detach: true });
    const lost = new StorageError({ ...unreachable, action: "list", reason: "no", backend: "fast" });
    network.failures.set("check target", lost);
    await expect(world.run().update(attachment, config, { ...state, status: "not mounted" })).rejects.toThrow(
      "fast",
    );
  });

  test("may have been taken out of the configuration", async () => {
    const { world, network, state } = await attached();
    world.configure("app1", undefined);
    expect(await world.statusOf(state)).toBe("consumer not configured");
    await expect(world.detach(state)).rejects.toThrow("force_detach = true");
    await world.detach({ ...state, force_detach: true });
    expect(network.exports.size).toBe(0);
  });

  test("may have come back as another machine, which is given nothing", async () => {
    const { world, machine, state, config } = await attached();
    machine.initiator = "iqn.2026-01.test:rebuilt";
    machine.devices.clear();
    machine.mounts.clear();
    const seen = await world.refreshed(state);
    await expect(world.run().update(attachment, config, seen)).rejects.toMatchObject({
      kind: "InvalidConnector",
    });
  });
});

describe("another machine at the consumer's address", () => {
  test("takes nothing from the one that has the volume, unless force_detach says so", async () => {
    const { world, network, made, state } = await attached();
    world.configure("app1", "app2.test");
    await expect(world.detach(state)).rejects.toThrow("force_detach = true");
    expect(network.exports.get(uuidOf(made))?.granted.has("iqn.2026-01.test:app1.test")).toBe(true);
    await world.detach({ ...state, force_detach: true });
    expect(network.exports.size).toBe(0);
  });

  test("is the same one where it has the volume, whatever it calls itself now", async () => {
    const { world, network, machine, state } = await attached();
    machine.initiator = "iqn.2026-01.test:renamed";
    await world.detach(state);
    expect(machine.mounts.size + machine.devices.size + network.exports.size).toBe(0);
  });
});

describe("a destroy", () => {
  test("ends an export whose volume has vanished", async () => {
    const { world, network, made, state } = await attached({ filesystem: null });
    const id = uuidOf(made);
    const left = network.exports.get(id);
    await world.detach(state);
    await volume.delete(world.run().context, made);
    if (left !== undefined) network.exports.set(id, left);
    await world.detach(state);
    expect(network.exports.size).toBe(0);
  });

  test("unmounts, logs out, revokes and removes the export, in that order", async () => {
    const { world, network, made, state } = await attached();
    network.log.length = 0;
    await world.detach(state);
    expect(network.log).toEqual(["list connections", "unmount", "log out", "revoke", "remove export"]);
    await volume.delete(world.run().context, made);
  });

  test("of one of two consumers leaves the other alone", async () => {
    const world = new World();
    const { network } = world;
    const made = await world.volume({ multiattach: true });
    const one = await world.attach({ volume_id: made["id"], host: "app1" });
    const two = await world.attach({ volume_id: made["id"], host: "app2" });
    await world.detach(one);
    expect(await world.statusOf(two)).toBe("attached");
    expect([...(network.exports.get(uuidOf(made))?.granted.keys() ?? [])]).toEqual([
      "iqn.2026-01.test:app2.test",
    ]);
    await world.detach(two);
    expect(network.exports.size).toBe(0);
  });

  test("leaves access to an attachment of the same initiator that is written otherwise", async () => {
    const world = new World();
    const made = await world.volume({ multiattach: true });
    const one = await world.attach({ volume_id: made["id"], host: "app1" });
    const other = await world.attach({
      volume_id: made["id"],
      connector: { initiator: world.network.machine("app1.test").initiator },
    });
    await world.detach(other);
    expect(await world.statusOf(one)).toBe("attached");
  });

  test("of two attachments of one consumer at a time leaves nothing on it", async () => {
    const world = new World();
    const made = await world.volume({ multiattach: true });
    const one = await world.attach({ volume_id: made["id"], host: "app1" });
    const run = world.run();
    attachment.noteState(run.context.fleet, one);
    const two = await run.create(attachment, { volume_id: made["id"], host: "app1" });
    expect(two["id"]).not.toBe(one["id"]);
    // Engines destroy in parallel, in one run.
    const { context } = world.run();
    world.network.log.length = 0;
    await Promise.all([attachment.delete(context, one), attachment.delete(context, two)]);
    expect(world.network.log.filter((step) => step === "log out")).toHaveLength(1);
    expect(world.network.exports.size).toBe(0);
  });

  test("stops where the device is in use, with force_detach as well", async () => {
    const { world, network, made, state } = await attached({ filesystem: null, force_detach: true });
    const { mounts } = network.machine("app1.test");
    mounts.set(uuidOf(made), {
      volumeId: uuidOf(made),
      mountPoint: "/mnt",
      type: "ext4",
      access: "rw",
      isMounted: true,
      isInFstab: false,
      answers: true,
      errors: 0,
      sizeBytes: 1,
    });
    await expect(world.detach(state)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    expect(network.exports.size).toBe(1);
  });
});

describe("a change", () => {
  test("of the volume's size grows device and file system in place", async () => {
    const { world, network, machine, made, config, state } = await attached();
    const grown = await world.run().update(volume, { name: "db", size: 3, backend: "fast" }, made);
    expect(grown["size"]).toBe(3);
    network.log.length = 0;
    const updated = await world.run().update(attachment, { ...config, volume_size: 3 }, state);
    expect(updated).toMatchObject({ size: 3, volume_size: 3, status: "attached" });
    expect(network.log).toEqual(expect.arrayContaining(["extend device", "grow"]));
    expect(machine.mounts.get(uuidOf(made))?.sizeBytes).toBe(3 * 2 ** 30);
  });

  test("of the mount point moves the mount; without a file system the device stays", async () => {
    const { world, machine, made, config, state } = await attached();
    const elsewhere = { ...config, filesystem: { ...filesystem, mount_point: "/srv/other" } };
    const moved = await world.run().update(attachment, elsewhere, state);
    expect(machine.mounts.get(uuidOf(made))).toMatchObject({ mountPoint: "/srv/other" });
    const bare = await world.run().update(attachment, { ...config, filesystem: null }, moved);
    expect(machine.mounts.size).toBe(0);
    expect(machine.devices.size).toBe(1);
    expect(bare).toMatchObject({ filesystem: null, status: "attached" });
  });

  test("of the file system's type is refused at plan", async () => {
    const { world, config, state } = await attached();
    const other = { ...config, filesystem: { ...filesystem, type: "xfs" } };
    await expect(world.run().plan(attachment, other, state)).rejects.toMatchObject({
      attribute: ["filesystem", "type"],
    });
  });

  test.each([
    ["another name", { host: "db1" }],
    ["its address", { host: null, connection: { address: "app1.test", user: "me" } }],
  ])("to %s of the same machine happens in place", async (_what, written) => {
    const { world, config, state } = await attached();
    world.configure("db1", "app1.test");
    const { replace } = await world.run().plan(attachment, { ...config, ...written }, state);
    expect(replace).toEqual([]);
  });

  test("to another machine replaces", async () => {
    const { world, config, state } = await attached();
    const { replace } = await world.run().plan(attachment, { ...config, host: "app2" }, state);
    expect(replace).toEqual([["host"]]);
  });
});

describe("a file system for writing", () => {
  test("is refused on a volume with another attachment, and others on it", async () => {
    const { world, made } = await attached();
    await world.run().update(volume, { name: "db", size: 1, backend: "fast", multiattach: true }, made);
    const busy = { kind: "VolumeIsBusy" };
    await expect(world.attach({ volume_id: made["id"], host: "app2", filesystem })).rejects.toMatchObject(
      busy,
    );
    await expect(world.attach({ volume_id: made["id"], host: "app2" })).rejects.toMatchObject(busy);
  });

  test("is refused at plan beside another attachment of the same configuration", async () => {
    const world = new World();
    const made = await world.volume({ multiattach: true });
    const run = world.run();
    await run.plan(attachment, { volume_id: made["id"], host: "app1" }, null);
    await expect(
      run.plan(attachment, { volume_id: made["id"], host: "app2", filesystem }, null),
    ).rejects.toMatchObject({ kind: "VolumeIsBusy", attribute: ["volume_id"] });
  });

  test("is planned again in the place of what it replaces", async () => {
    const { world, config, state } = await attached();
    const run = world.run();
    const { private: privateData } = await run.plan(attachment, config, state);
    const { values } = parseValues(attachment.attributes, config as never);
    await planChange(attachment, run.context, { config: values, prior: null, private: privateData ?? {} });
  });
});

describe("an attachment over another protocol than the backend's", () => {
  test("is not taken for gone, nor taken back by what knows nothing of it", async () => {
    const { world, state } = await attached();
    const other = {
      ...state,
      connection_info: { ...(state["connection_info"] as object), driver_volume_type: "nvmet_tcp" },
    };
    const refusal = { kind: "InvalidConfiguration" };
    await expect(world.refreshed(other)).rejects.toMatchObject(refusal);
    await expect(world.detach(other)).rejects.toMatchObject(refusal);
  });
});

describe("a second attachment of the same consumer", () => {
  test("with a file system is refused: a consumer mounts a volume once", async () => {
    const world = new World();
    const made = await world.volume({ multiattach: true });
    const first = await world.attach({ volume_id: made["id"], host: "app1", mode: "ro" });
    const run = world.run();
    attachment.noteState(run.fleet, first);
    const second = { volume_id: made["id"], host: "app1", mode: "ro", filesystem };
    await expect(run.create(attachment, second)).rejects.toMatchObject({
      kind: "VolumeIsBusy",
      attribute: ["filesystem"],
    });
    expect(await world.statusOf(first)).toBe("attached");
  });

  test("in another mode is refused, and takes nothing from the first", async () => {
    const world = new World();
    const made = await world.volume({ multiattach: true });
    const first = await world.attach({ volume_id: made["id"], host: "app1" });
    const second = world.attach({ volume_id: made["id"], host: "app1", mode: "ro" });
    await expect(second).rejects.toMatchObject({ kind: "VolumeIsBusy", attribute: ["mode"] });
    expect(await world.statusOf(first)).toBe("attached");
  });
});

describe("an attachment that only grants access", () => {
  const connector = { initiator: "iqn.2026-01.test:elsewhere" };

  test("touches no consumer, and its credentials come from the ephemeral connection alone", async () => {
    const world = new World();
    const made = await world.volume();
    const state = await world.attach({ volume_id: made["id"], connector });
    expect(world.network.log).not.toContain("log in");
    expect(state).toMatchObject({ device_path: null, status: "attached" });
    const { context } = world.run();
    const open = (config: object) => {
      const { values } = parseValues(connection.attributes, config as never);
      expect(connection.validate(values)).toEqual([]);
      return connection.open(context, values);
    };
    const expected = { protocol: "iSCSI", username: "consumer", password: "open-sesame" };
    expect(await open({ attachment_id: state["id"] })).toMatchObject(expected);
    expect(await open({ volume_id: made["id"], connector })).toMatchObject({
      ...expected,
      attachment_id: state["id"],
    });
    await expect(open({ volume_id: made["id"], connector: { initiator: "iqn.x" } })).rejects.toMatchObject({
      kind: "AttachmentNotFound",
    });
  });

  test("opens nothing, and changes nothing, while its access is missing", async () => {
    const world = new World();
    const made = await world.volume();
    const state = await world.attach({ volume_id: made["id"], connector });
    world.network.exports.get(uuidOf(made))?.granted.clear();
    const { values } = parseValues(connection.attributes, { attachment_id: String(state["id"]) });
    await expect(connection.open(world.run().context, values)).rejects.toThrow("access missing");
    expect(world.network.exports.get(uuidOf(made))?.granted.size).toBe(0);
  });

  test("is not replaced where nobody can say whether the host is the one that it was imported for", async () => {
    const { world, machine, config, state } = await attached();
    const imported = await attachment.import(world.run().context, { id: String(state["id"]) });
    machine.absence = new StorageError({
      kind: "BackendUnreachable",
      action: "connect",
      reason: "no route",
    });
    await expect(world.run().plan(attachment, config, imported)).rejects.toThrow("no route");
  });

  test("can be imported, and then be written as the host that it is", async () => {
    const { world, config, state } = await attached();
    const imported = await attachment.import(world.run().context, { id: String(state["id"]) });
    expect(imported).toMatchObject({ host: null, connector: { host: "app1.test" }, status: "attached" });
    const { replace } = await world.run().plan(attachment, config, imported);
    expect(replace).toEqual([]);
  });
});

test.each<readonly [string, object, string]>([
  ["nobody", {}, "host"],
  ["two consumers", { host: "a", connector: { host: "b" } }, "connector"],
  ["a file system for nobody", { connector: { host: "b" }, filesystem }, "filesystem"],
  ["paths for nobody", { connector: { host: "b" }, multipath: true }, "multipath"],
])("a configuration with %s is refused", (_what, config, place) => {
  const { values } = parseValues(attachment.attributes, { volume_id: "fast/x", ...config } as never);
  expect(attachment.validate(values)).toMatchObject([{ path: [place] }]);
});
