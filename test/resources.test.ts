import { lstatSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { planChange, provider } from "../resources/index.ts";
import {
  type HookContext,
  parseValues,
  type Resource,
  UNKNOWN,
  type Values,
} from "../resources/schema/index.ts";
import { Fleet } from "../src/backend/index.ts";
import { StorageError } from "../src/contract/index.ts";
import { LocalHost } from "./support/backend.ts";
import { tempDirectory } from "./support/temp-directory.ts";

const [volume, snapshot, attachment] = provider.resources as [Resource, Resource, Resource];
const group = provider.resources.find(({ name }) => name === "group_snapshot") as Resource;

/** One run of a provider: what it is told of state, and what it shows. */
function newRun(directory: string, name = "demo", aliases: readonly string[] = []) {
  const host = new LocalHost();
  const fleet = new Fleet(
    {
      owner: "acme/prod",
      defaultLabels: {},
      deletionProtection: false,
      hosts: { h: { name: "h", address: "here", user: "me", auth: {} } },
      backends: [
        {
          name,
          aliases,
          host: "h",
          technology: { technology: "file", directory, format: "raw" },
          unreachable: "error",
        },
      ],
    },
    { openHost: () => host },
  );
  const warnings: string[] = [];
  const context: HookContext = {
    fleet,
    signal: new AbortController().signal,
    warn: ({ summary }) => warnings.push(summary),
  };
  return { host, fleet, context, warnings };
}

function planOf(resource: Resource, context: HookContext, config: object, prior: Values | null) {
  const { values } = parseValues(resource.attributes, config as Parameters<typeof parseValues>[1]);
  return planChange(resource, context, { config: values, prior, private: {} });
}

async function plan(resource: Resource, context: HookContext, config: object): Promise<Values> {
  return (await planOf(resource, context, config, null)).planned;
}

const config = { name: "db", size: 1, backend: "demo" };

test("a creation planned for one storage is not carried out on what has come to its place", async () => {
  const directory = `${tempDirectory()}/volumes`;
  mkdirSync(directory);
  const first = newRun(directory);
  await volume.create(first.context, await plan(volume, first.context, config), {});
  const planned = await plan(volume, newRun(directory).context, { ...config, name: "other" });
  renameSync(directory, `${directory}.away`);
  mkdirSync(directory);
  await expect(volume.create(newRun(directory).context, planned, {})).rejects.toMatchObject({
    kind: "BackendIdentityMismatch",
  });
});

test("an unfinished volume can be imported and destroyed, and a warning says what it is", async () => {
  const directory = tempDirectory();
  const { host, context, warnings } = newRun(directory);
  const source = await volume.create(
    context,
    await plan(volume, context, { ...config, provisioning: "thick" }),
    {},
  );
  host.runJob = async () => {
    throw new StorageError({ kind: "Cancelled", action: "wait", reason: "stopped on request" });
  };
  const clone = { ...config, name: "copy", deletion_protection: true, source: { volume_id: source["id"] } };
  await expect(volume.create(context, await plan(volume, context, clone), {})).rejects.toMatchObject({
    state: { backend_identity: source["backend_identity"], deletion_protection: false },
  });
  expect(warnings).toEqual([]);
  const imported = await volume.import(context, { id: "demo/copy" });
  expect(warnings).toEqual(['The volume "copy" is not finished']);
  await volume.planDelete(context, imported);
  await volume.delete(context, imported);
  await volume.delete(context, source);
});

test("a create never takes up the attachment of another resource whose acknowledgement failed", async () => {
  const directory = tempDirectory();
  const first = newRun(directory);
  const made = await volume.create(
    first.context,
    await plan(volume, first.context, { ...config, multiattach: true }),
    {},
  );
  const wanted = { volume_id: made["id"], host: "h" };
  const held = await attachment.create(first.context, await plan(attachment, first.context, wanted), {});
  const { fleet, context } = newRun(directory);
  for (const backend of fleet.backends) {
    backend.driver.acknowledge = async () => {
      throw new StorageError({ kind: "BackendUnreachable", action: "acknowledge", reason: "lost" });
    };
  }
  attachment.noteState(fleet, held);
  await expect(plan(attachment, context, wanted)).rejects.toThrow("lost");
});

test("neither state nor import nor data source shows which run made an attachment", async () => {
  const directory = tempDirectory();
  const { context } = newRun(directory);
  const made = await volume.create(context, await plan(volume, context, config), {});
  const wanted = { volume_id: made["id"], host: "h" };
  const state = await attachment.create(context, await plan(attachment, context, wanted), {});
  const [, uuid] = String(made["id"]).split("/");
  const stored = JSON.parse(readFileSync(`${directory}/volume-${uuid}.json`, "utf8"));
  const run: unknown = stored.attachments[0].run;
  expect(run).toMatch(/^[0-9a-f]{16}$/);
  const later = newRun(directory).context;
  const source = provider.dataSources.find(({ name }) => name === "volume");
  const { values } = parseValues(source?.attributes ?? {}, { id: String(made["id"]) });
  const shown = [
    state,
    await attachment.read(later, state),
    await attachment.import(later, { id: String(state["id"]) }),
    await source?.read(later, values),
  ];
  expect(JSON.stringify(shown)).toContain(String(state["id"]).split("/")[1]);
  expect(JSON.stringify(shown)).not.toContain(run);
});

test("ids under a backend's former name mean the same objects: nothing imported is replaced for them", async () => {
  const directory = tempDirectory();
  const { context } = newRun(directory, "old");
  const db = { name: "db", size: 1, backend: "old" };
  const made = await volume.create(context, await plan(volume, context, db), {});
  const taken = { name: "before", volume_id: made["id"] };
  await snapshot.create(context, await plan(snapshot, context, taken), {});
  const clone = {
    name: "copy",
    backend: "old",
    source: { volume_id: made["id"] },
    on_source_change: "replace",
  };
  await volume.create(context, await plan(volume, context, clone), {});
  const renamed = newRun(directory, "new", ["old"]).context;
  for (const [resource, id, written] of [
    [volume, "new/copy", { ...clone, backend: "new" }],
    [snapshot, "new/before", taken],
  ] as const) {
    const imported = await resource.import(renamed, { id });
    expect((await planOf(resource, renamed, written, imported)).replace).toEqual([]);
  }
});

test("a group snapshot with a moved volume is planned while its backend does not answer, where that is tolerated", async () => {
  const directories = { demo: tempDirectory(), other: tempDirectory() };
  const run = (isDown = false) => {
    const down = new LocalHost();
    down.run = async () => {
      throw new StorageError({ kind: "BackendUnreachable", action: "connect", reason: "no route to host" });
    };
    const fleet = new Fleet(
      {
        owner: "acme/prod",
        defaultLabels: {},
        deletionProtection: false,
        hosts: Object.fromEntries(
          Object.keys(directories).map((name) => [name, { name, address: name, user: "me", auth: {} }]),
        ),
        backends: Object.entries(directories).map(([name, directory]) => ({
          ...{ name, aliases: [], host: name, unreachable: "warn" },
          technology: { technology: "file", directory, format: "raw" },
        })),
      },
      { openHost: ({ name }) => (isDown && name === "other" ? down : new LocalHost()) },
    );
    const warnings: string[] = [];
    const { signal } = new AbortController();
    const context: HookContext = { fleet, signal, warn: ({ summary }) => warnings.push(summary) };
    return { context, warnings };
  };
  const { context } = run();
  await volume.create(context, await plan(volume, context, { ...config, name: "first" }), {});
  const ids: string[] = [];
  for (const name of ["db", "log"]) {
    const made = await volume.create(
      context,
      await plan(volume, context, { ...config, name, backend: "other" }),
      {},
    );
    ids.push(String(made["id"]));
  }
  // The first of them comes from the other backend.
  const [moved = "", born = ""] = ids;
  const uuid = moved.slice("other/".length);
  const sidecar = `${directories.other}/volume-${uuid}.json`;
  const fields = JSON.parse(readFileSync(sidecar, "utf8"));
  writeFileSync(sidecar, `${JSON.stringify({ ...fields, settings: { birthplace: "demo" } })}\n`);
  const wanted = { name: "before", volume_ids: [`demo/${uuid}`, born] };
  const next = run();
  const taken = await group.create(next.context, await plan(group, next.context, wanted), {});
  const later = run(true);
  expect(await group.read(later.context, taken)).toEqual(taken);
  expect((await planOf(group, later.context, wanted, taken)).replace).toEqual([]);
  expect(later.warnings).toHaveLength(1);
});

test("two backends on one directory of a host are refused", async () => {
  const host = { address: "here", user: "me", insecure_accept_any_host_key: true };
  const { values } = parseValues(provider.attributes, {
    hosts: { h: host },
    backends: {
      one: { host: "h", file: { directory: "/srv/volumes" } },
      two: { host: "h", file: { directory: "/srv//volumes/" } },
    },
  });
  await expect(provider.configure(values, { log: () => {} })).rejects.toThrow("are the same storage");
});

test("a volume that was cut on the host is read with a warning, as growing it again would hide what is lost", async () => {
  const directory = tempDirectory();
  const first = newRun(directory);
  const state = await volume.create(
    first.context,
    await plan(volume, first.context, { ...config, size: 2 }),
    {},
  );
  truncateSync(String(state["device_path"]), 2 ** 30);
  const { context, warnings } = newRun(directory);
  expect(await volume.read(context, state)).toMatchObject({ size: 1 });
  expect(warnings).toEqual(['Volume "db" has become smaller on the host']);
});

test("the data sources show the same before and after a state is refreshed", async () => {
  const directory = tempDirectory();
  const first = newRun(directory);
  const state = await volume.create(first.context, await plan(volume, first.context, config), {});
  const source = provider.dataSources.find(({ name }) => name === "volume");
  const shown = async () => {
    const { values } = parseValues(source?.attributes ?? {}, { id: String(state["id"]) });
    return source?.read(newRun(directory).context, values);
  };
  const before = await shown();
  const second = newRun(directory);
  volume.noteState(second.fleet, state);
  await second.fleet.backends[0]?.acknowledged();
  expect(before).toMatchObject({ status: "available" });
  expect(await shown()).toEqual(before);
});

test("a volume whose deletion was broken off is not imported, and is planned to be finished and made anew", async () => {
  const directory = tempDirectory();
  const first = newRun(directory);
  const state = await volume.create(first.context, await plan(volume, first.context, config), {});
  const { fleet, context, warnings } = newRun(directory);
  for (const { driver } of fleet.backends) {
    const list = driver.inventory.bind(driver);
    driver.inventory = async (operation) => {
      const inventory = await list(operation);
      const volumes = [...inventory.volumes].map(
        ([id, record]) => [id, { ...record, phase: "deleting" as const }] as const,
      );
      return { ...inventory, volumes: new Map(volumes) };
    };
  }
  const read = await volume.read(context, state);
  expect(read).toMatchObject({ id: state["id"], deletion_protection: false });
  expect(warnings).toEqual(['The volume "db" is half deleted']);
  const { planned, replace } = await planOf(volume, context, config, read);
  expect(replace).toEqual([["id"]]);
  expect(planned["id"]).toBe(UNKNOWN);
  await expect(volume.import(context, { id: String(state["id"]) })).rejects.toThrow("being deleted");
  await expect(volume.import(context, { id: "demo/db" })).rejects.toMatchObject({ kind: "VolumeNotFound" });
});

test.each(["stops with an error", "is killed"])(
  "a claim that %s before it has grown the volume: a destroy gives the volume back, as the configuration says",
  async (end) => {
    const directory = tempDirectory();
    const path = `${directory}/disk.img`;
    writeFileSync(path, Buffer.alloc(1024, "precious"));
    const unclaimed = await volume.import(newRun(directory).context, { id: "demo/existing:disk.img" });
    expect(unclaimed).toMatchObject({ claimed: false, deletion_policy: "delete" });
    const { fleet, context } = newRun(directory);
    const wanted = { ...config, size: 2, deletion_policy: "retain", labels: { app: "postgres" } };
    const { planned } = await planOf(volume, context, wanted, unclaimed);
    for (const backend of fleet.backends) {
      backend.driver.extendVolume = async () => {
        throw new StorageError({ kind: "VolumeBackendError", action: "grow", reason: "no space left" });
      };
    }
    const failed = await volume.update(context, unclaimed, planned, {}).catch((error: unknown) => error);
    const claimed = {
      claimed: true,
      deletion_policy: "retain",
      labels: { app: "postgres" },
      size_bytes: 1024,
    };
    expect(failed).toMatchObject({ state: { ...claimed, id: unclaimed["id"] } });
    // Nobody keeps what a killed provider would have said.
    const kept = end === "is killed" ? unclaimed : (failed as { readonly state: Values }).state;
    const next = newRun(directory);
    const refreshed = await volume.read(next.context, kept);
    expect(refreshed).toMatchObject({ ...claimed, id: unclaimed["id"] });
    await volume.planDelete(next.context, refreshed ?? {});
    await volume.delete(next.context, refreshed ?? {});
    expect(readFileSync(path).equals(Buffer.alloc(1024, "precious"))).toBe(true);
    expect(lstatSync(path).nlink).toBe(1);
  },
);

test("`existing:` means what has the name now, and what was adopted from it only where nothing of others' has it", async () => {
  const directory = tempDirectory();
  const path = `${directory}/disk.img`;
  writeFileSync(path, Buffer.alloc(1024, "first"));
  const importIt = () => volume.import(newRun(directory).context, { id: "demo/existing:disk.img" });
  const first = await importIt();
  const { context } = newRun(directory);
  const { planned } = await planOf(volume, context, { ...config, name: "first" }, first);
  await volume.update(context, first, planned, {});
  expect(await importIt()).toMatchObject({ id: first["id"], claimed: true });
  writeFileSync(`${path}.new`, Buffer.alloc(2048, "second"));
  renameSync(`${path}.new`, path);
  const second = await importIt();
  expect(second).toMatchObject({ claimed: false, size_bytes: 2048 });
  expect(second["id"]).not.toBe(first["id"]);
});
