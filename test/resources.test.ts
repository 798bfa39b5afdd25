import { mkdirSync, renameSync, truncateSync } from "node:fs";
import { expect, test } from "vitest";
import { planChange, provider } from "../resources/index.ts";
import { type HookContext, parseValues, type Resource, type Values } from "../resources/schema/index.ts";
import { Fleet } from "../src/backend/index.ts";
import { StorageError } from "../src/contract/index.ts";
import { LocalHost } from "./support/backend.ts";
import { tempDirectory } from "./support/temp-directory.ts";

const [volume, snapshot, attachment] = provider.resources as [Resource, Resource, Resource];

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
