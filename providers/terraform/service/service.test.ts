import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Provider, string, UNKNOWN, type Values } from "../../../resources/schema/index.ts";
import { statusCodes } from "../grpc/status.ts";
import { serveForTest } from "../index.ts";
import { GRPCControllerMethods } from "../protocol/generated/plugin.ts";
import {
  DiagnosticSeverity,
  type DynamicValue,
  ProviderMethods,
  type RawState,
  type Diagnostic as WireDiagnostic,
} from "../protocol/generated/tfplugin6.ts";
import type { Init } from "../protocol/message.ts";
import { CallFailed, GrpcClient } from "../testing/grpc-client.ts";
import { toyProvider } from "../testing/toy-provider.ts";
import { memoryStore } from "../testing/toy-store.ts";
import { toyThing } from "../testing/toy-thing.ts";
import { createCodec } from "../values/codec.ts";

const typeName = "breezeblock_thing";
const codec = createCodec(toyThing.attributes);
const identityCodec = createCodec({ thing_id: string("required", { description: "Its id." }) });

const encode = (values: Values | null): Init<DynamicValue> => codec.encode(values).value;
/** With write-only attributes, which stand in configurations alone. */
const plainCodec = createCodec(
  Object.fromEntries(
    Object.entries(toyThing.attributes).map(([name, attribute]) => [
      name,
      { ...attribute, writeOnly: false },
    ]),
  ),
);
const config = (values: Values): Init<DynamicValue> => plainCodec.encode(values).value;
const decode = (value: DynamicValue | undefined): Values | null => codec.decode(value);
const stored = (state: unknown): Init<RawState> => ({ json: Buffer.from(JSON.stringify(state)) });
const errors = (diagnostics: readonly WireDiagnostic[]) =>
  diagnostics.filter(({ severity }) => severity === DiagnosticSeverity.ERROR).map(({ summary }) => summary);

function socketOf(reattach: string): string {
  const [first] = Object.values(JSON.parse(reattach) as Record<string, { Addr: { String: string } }>);
  return first?.Addr.String ?? "";
}

async function connect(provider: Provider = toyProvider()) {
  const served = await serveForTest(provider, { log: () => undefined });
  const client = GrpcClient.toSocket(socketOf(served.reattach));
  onTestFinished(async () => {
    await client.close();
    await served.close();
  });
  return { client, served };
}

async function configured(provider?: Provider, settings: Values = {}) {
  const connection = await connect(provider);
  await configure(connection.client, settings);
  return connection;
}

async function configure(client: GrpcClient, settings: Values) {
  const providerCodec = createCodec(toyProvider().attributes);
  return client.call(ProviderMethods.configureProvider, {
    config: providerCodec.encode(settings).value,
  });
}

async function create(client: GrpcClient, written: Values) {
  const planned = await client.call(ProviderMethods.planResourceChange, {
    typeName,
    priorState: encode(null),
    proposedNewState: encode(written),
    config: config(written),
  });
  return client.call(ProviderMethods.applyResourceChange, {
    typeName,
    priorState: encode(null),
    plannedState: planned.plannedState,
    plannedPrivate: planned.plannedPrivate,
    config: config(written),
  });
}

const written = { name: "a", size: 2 };

describe("the schema", () => {
  test("tells of everything, and of what the server can do", async () => {
    const { client } = await connect();
    const { resourceSchemas, dataSourceSchemas, serverCapabilities, provider } = await client.call(
      ProviderMethods.getProviderSchema,
      {},
    );
    expect([...resourceSchemas.keys()]).toEqual([typeName]);
    expect([...dataSourceSchemas.keys()]).toEqual(["breezeblock_things"]);
    expect(resourceSchemas.get(typeName)?.version).toBe(1);
    expect(serverCapabilities).toEqual({
      planDestroy: true,
      getProviderSchemaOptional: true,
      moveResourceState: true,
    });
    expect(provider?.block?.attributes.find(({ name }) => name === "token")?.sensitive).toBe(true);
  });

  test("tells of identities and metadata; there are no functions", async () => {
    const { client } = await connect();
    const { identitySchemas } = await client.call(ProviderMethods.getResourceIdentitySchemas, {});
    expect(identitySchemas.get(typeName)?.identityAttributes).toMatchObject([
      { name: "thing_id", requiredForImport: true },
    ]);
    const metadata = await client.call(ProviderMethods.getMetadata, {});
    expect(metadata.resources).toEqual([{ typeName }]);
    expect((await client.call(ProviderMethods.getFunctions, {})).functions.size).toBe(0);
  });

  test("asks nothing that this server does not answer", async () => {
    const { client } = await connect();
    const unheard = { ...ProviderMethods.getMetadata, path: "/tfplugin6.Provider/ListResource" };
    await expect(client.call(unheard, {})).rejects.toMatchObject({ status: statusCodes.unimplemented });
    await expect(
      client.call(ProviderMethods.readResource, { typeName: "breezeblock_unheard" }),
    ).rejects.toBeInstanceOf(CallFailed);
  });
});

describe("configurations", () => {
  test("are checked, attribute by attribute and then as a whole", async () => {
    const { client } = await connect();
    const validate = async (values: Values) =>
      (await client.call(ProviderMethods.validateResourceConfig, { typeName, config: config(values) }))
        .diagnostics;
    expect(await validate(written)).toEqual([]);
    expect(errors(await validate({ size: 1 }))).toEqual(["Missing name"]);
    expect(errors(await validate({ name: "", size: 1.5 }))).toEqual(["Invalid name", "Invalid size"]);
    expect(errors(await validate({ name: "a", size: 13, enabled: true }))).toEqual(["Invalid size"]);
    expect(await validate({ name: "a", size: 13, enabled: UNKNOWN })).toEqual([]);
    expect(await validate({ name: UNKNOWN, size: UNKNOWN, rules: UNKNOWN })).toEqual([]);
    const [nested] = await validate({ ...written, rules: [{ action: "allow" }, { action: "shrug" }] });
    expect(
      nested?.attribute?.steps.map((step) => Object.values(step).find((part) => part !== undefined)),
    ).toEqual(["rules", 1]);
    const [deprecated] = await validate({ ...written, old: "x" });
    expect(deprecated?.severity).toBe(DiagnosticSeverity.WARNING);
  });

  test("with write-only attributes need an engine that can keep them out of state", async () => {
    const { client } = await connect();
    const request = { typeName, config: config({ ...written, secret: "hunter2" }) };
    const { diagnostics } = await client.call(ProviderMethods.validateResourceConfig, request);
    expect(errors(diagnostics)).toEqual(["Unsupported secret"]);
    const able = { ...request, clientCapabilities: { writeOnlyAttributesAllowed: true } };
    expect((await client.call(ProviderMethods.validateResourceConfig, able)).diagnostics).toEqual([]);
  });

  test("with a number that cannot be held name its attribute", async () => {
    const { client } = await connect();
    // 2^53 + 1 as MessagePack.
    const msgpack = Buffer.from([0x81, 0xa4, ...Buffer.from("size"), 0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1]);
    const { diagnostics } = await client.call(ProviderMethods.validateResourceConfig, {
      typeName,
      config: { msgpack },
    });
    expect(diagnostics).toMatchObject([
      { summary: "Invalid size", attribute: { steps: [{ attributeName: "size" }] } },
    ]);
  });

  test("of the provider are checked, and refused with its reason", async () => {
    const { client } = await connect();
    expect(errors((await configure(client, { token: "wrong" })).diagnostics)).toEqual([
      "Unable to configure the toy",
    ]);
  });
});

describe("a plan", () => {
  const plan = async (
    client: GrpcClient,
    prior: Values | null,
    wanted: Values,
    priorPrivate: Uint8Array = Buffer.alloc(0),
  ) =>
    client.call(ProviderMethods.planResourceChange, {
      typeName,
      priorState: encode(prior),
      proposedNewState: encode(wanted),
      config: config(wanted),
      priorPrivate,
    });

  test("of a creation has defaults, and unknown where the backend decides", async () => {
    const { client } = await configured();
    const { plannedState, requiresReplace } = await plan(client, null, written);
    expect(decode(plannedState)).toMatchObject({
      ...written,
      flavour: "plain",
      enabled: true,
      id: UNKNOWN,
      region: UNKNOWN,
      ratio: null,
    });
    expect(requiresReplace).toEqual([]);
  });

  test("that changes nothing is the prior state", async () => {
    const { client } = await configured();
    const state = decode((await create(client, written)).newState) ?? {};
    expect(decode((await plan(client, state, written)).plannedState)).toEqual(state);
  });

  test("of a change forgets what the change may change", async () => {
    const { client } = await configured();
    const state = decode((await create(client, written)).newState) ?? {};
    const { plannedState } = await plan(client, state, { ...written, size: 3 });
    expect(decode(plannedState)).toEqual({ ...state, size: 3, revision: UNKNOWN, secret_length: UNKNOWN });
  });

  test("of a replacement carries what it noted to the creation", async () => {
    const { client } = await configured();
    const state = decode((await create(client, written)).newState) ?? {};
    const wanted = { ...written, flavour: "fancy" };
    const first = await plan(client, state, wanted);
    expect(first.requiresReplace).toMatchObject([{ steps: [{ attributeName: "flavour" }] }]);
    const second = await plan(client, null, wanted, first.plannedPrivate);
    expect(JSON.parse(Buffer.from(second.plannedPrivate).toString())).toEqual({ planned_from: 1 });
  });

  test("that is refused names the attribute and plans nothing", async () => {
    const { client } = await configured();
    const state = decode((await create(client, written)).newState) ?? {};
    const { diagnostics } = await plan(client, state, { ...written, size: 1 });
    expect(diagnostics).toMatchObject([
      { summary: 'Unable to shrink thing "a"', attribute: { steps: [{ attributeName: "size" }] } },
    ]);
  });

  test("of a destruction stays null, unless it is refused", async () => {
    const { client } = await configured();
    const destroy = async (prior: Values) =>
      client.call(ProviderMethods.planResourceChange, {
        typeName,
        priorState: encode(prior),
        proposedNewState: encode(null),
        config: encode(null),
      });
    const state = decode((await create(client, written)).newState) ?? {};
    const allowed = await destroy(state);
    expect(allowed.diagnostics).toEqual([]);
    expect(decode(allowed.plannedState)).toBeNull();
    expect(errors((await destroy({ ...state, behaviour: "protect" })).diagnostics)).toEqual([
      'Unable to delete thing "a"',
    ]);
  });

  test("shows warnings", async () => {
    const { client } = await configured();
    const { diagnostics } = await plan(client, null, { ...written, behaviour: "warn" });
    expect(diagnostics).toMatchObject([{ severity: DiagnosticSeverity.WARNING, summary: "A warning" }]);
  });
});

describe("an apply", () => {
  test("hands over what is write-only, and keeps nothing of it", async () => {
    const { client } = await configured();
    const state = decode((await create(client, { ...written, secret: "hunter2" })).newState);
    expect(state).toMatchObject({ secret: null, secret_length: 7 });
  });

  test("that stops half-way keeps what there is, without unknowns", async () => {
    const { client } = await configured();
    const { newState, newIdentity, diagnostics } = await create(client, {
      ...written,
      behaviour: "fail_create",
    });
    expect(errors(diagnostics)).toEqual(["Unable to finish the thing"]);
    const state = decode(newState);
    expect(state).toMatchObject({ name: "a", revision: 1 });
    expect(Object.values(state ?? {})).not.toContain(UNKNOWN);
    expect(identityCodec.decode(newIdentity?.identityData)).toEqual({ thing_id: state?.["id"] });
  });

  test("that fails to change keeps the prior state", async () => {
    const { client } = await configured();
    const prior = decode((await create(client, written)).newState) ?? {};
    const { newState, diagnostics } = await client.call(ProviderMethods.applyResourceChange, {
      typeName,
      priorState: encode(prior),
      plannedState: encode({ ...prior, size: 3, behaviour: "fail_update", revision: UNKNOWN }),
      config: config({ ...written, size: 3 }),
    });
    expect(errors(diagnostics)).toEqual(['Unable to change thing "a"']);
    expect(decode(newState)).toEqual(prior);
  });

  test("of a destruction leaves nothing", async () => {
    const store = memoryStore();
    const { client } = await configured(toyProvider({ store }));
    const prior = decode((await create(client, written)).newState);
    const { newState } = await client.call(ProviderMethods.applyResourceChange, {
      typeName,
      priorState: encode(prior),
      plannedState: encode(null),
      config: encode(null),
    });
    expect(decode(newState)).toBeNull();
    expect(store.all()).toEqual({});
  });

  test("is aborted when the user interrupts, and so is what follows until the next run", async () => {
    const store = memoryStore();
    const { client } = await configured(toyProvider({ store }));
    const hanging = create(client, { ...written, behaviour: "hang_create" });
    await vi.waitFor(() => expect(Object.keys(store.all())).toHaveLength(1));
    await client.call(ProviderMethods.stopProvider, {});
    const { newState, diagnostics } = await hanging;
    expect(errors(diagnostics)).toEqual(["Unable to make the thing"]);
    expect(decode(newState)).toMatchObject({ name: "a" });
    const next = await create(client, { name: "b", size: 1, behaviour: "hang_create" });
    expect(errors(next.diagnostics)).toEqual(["Unable to make the thing"]);
    await configure(client, {});
    expect(errors((await create(client, { name: "c", size: 1 })).diagnostics)).toEqual([]);
  });
});

test("values of many megabytes are carried", async () => {
  const { client } = await configured();
  const labels = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`label ${index}`, "ü".repeat(50_000)]),
  );
  const { newState, diagnostics } = await create(client, { ...written, labels });
  expect(diagnostics).toEqual([]);
  expect(decode(newState)?.["labels"]).toEqual(labels);
});

describe("a read", () => {
  const read = async (client: GrpcClient, state: Values | null) =>
    client.call(ProviderMethods.readResource, {
      typeName,
      currentState: encode(state),
      private: Buffer.from("kept"),
    });

  test("finds what is there, and that it is gone", async () => {
    const store = memoryStore();
    const { client } = await configured(toyProvider({ store }));
    const state = decode((await create(client, written)).newState) ?? {};
    store.put(String(state["id"]), { ...state, size: 9 });
    const found = await read(client, state);
    expect(decode(found.newState)).toEqual({ ...state, size: 9 });
    expect(Buffer.from(found.private).toString()).toBe("kept");
    expect(identityCodec.decode(found.newIdentity?.identityData)).toEqual({ thing_id: state["id"] });
    store.remove(String(state["id"]));
    expect(decode((await read(client, state)).newState)).toBeNull();
  });

  test("that fails leaves the state alone", async () => {
    const { client } = await configured();
    const state = decode((await create(client, { ...written, behaviour: "fail_read" })).newState) ?? {};
    const { newState, diagnostics } = await read(client, state);
    expect(errors(diagnostics)).toEqual(['Unable to read thing "a"']);
    expect(decode(newState)).toEqual(state);
  });
});

describe("settings that are not known yet", () => {
  test("let creations be planned, leave state alone, and refuse everything else", async () => {
    const { client } = await configured();
    const state = decode((await create(client, written)).newState) ?? {};
    await configure(client, { path: UNKNOWN });
    const planned = await client.call(ProviderMethods.planResourceChange, {
      typeName,
      priorState: encode(null),
      proposedNewState: encode(written),
      config: config(written),
    });
    expect(decode(planned.plannedState)).toMatchObject({ ...written, id: UNKNOWN });
    const read = await client.call(ProviderMethods.readResource, { typeName, currentState: encode(state) });
    expect(decode(read.newState)).toEqual(state);
    expect(errors((await create(client, written)).diagnostics)).toEqual(["Provider settings are not known"]);
    const imported = await client.call(ProviderMethods.importResourceState, { typeName, id: "a" });
    expect(errors(imported.diagnostics)).toEqual(["Provider settings are not known"]);
    const data = await client.call(ProviderMethods.readDataSource, { typeName: "breezeblock_things" });
    expect(errors(data.diagnostics)).toEqual(["Provider settings are not known"]);
  });
});

describe("stored state", () => {
  test("of an older version is brought to this one", async () => {
    const { client } = await configured();
    const { upgradedState } = await client.call(ProviderMethods.upgradeResourceState, {
      typeName,
      version: 0,
      rawState: stored({ title: "a", size: 2, dropped: { long: "ago" }, ratio: 0.1, labels: { a: "b" } }),
    });
    expect(decode(upgradedState)).toMatchObject({
      name: "a",
      size: 2,
      ratio: 0.1,
      labels: { a: "b" },
      id: null,
    });
  });

  test("of this version stays, digit by digit", async () => {
    const { client } = await configured();
    const state = decode((await create(client, { ...written, size: 2 ** 53 - 1, ratio: 1 / 3 })).newState);
    const { upgradedState } = await client.call(ProviderMethods.upgradeResourceState, {
      typeName,
      version: 1,
      rawState: stored(state),
    });
    expect(decode(upgradedState)).toEqual(state);
  });

  test("that cannot be read is an error, not a loss", async () => {
    const { client } = await configured();
    const { upgradedState, diagnostics } = await client.call(ProviderMethods.upgradeResourceState, {
      typeName,
      version: 1,
      rawState: { flatmap: new Map([["id", "x"]]) },
    });
    expect(errors(diagnostics)).toEqual(["Unable to read the stored state of a thing"]);
    expect(upgradedState).toBeUndefined();
  });

  test("is taken over from this provider under another address, and from nothing else", async () => {
    const { client } = await configured();
    const move = (sourceProviderAddress: string, sourceTypeName = typeName) =>
      client.call(ProviderMethods.moveResourceState, {
        sourceProviderAddress,
        sourceTypeName,
        sourceState: stored({ name: "a", size: 2 }),
        sourceSchemaVersion: 1,
        targetTypeName: typeName,
      });
    const moved = await move("mirror.example/breezeblock/breezeblock");
    expect(decode(moved.targetState)).toMatchObject({ name: "a", size: 2 });
    expect(errors((await move("registry.terraform.io/hashicorp/aws")).diagnostics)).toEqual([
      "Unable to move a resource here",
    ]);
    expect(
      errors((await move("mirror.example/a/breezeblock", "breezeblock_other")).diagnostics),
    ).toHaveLength(1);
  });

  test("of an identity is today's", async () => {
    const { client } = await configured();
    const { upgradedIdentity } = await client.call(ProviderMethods.upgradeResourceIdentity, {
      typeName,
      rawIdentity: stored({ thing_id: "x" }),
    });
    expect(identityCodec.decode(upgradedIdentity?.identityData)).toEqual({ thing_id: "x" });
  });
});

describe("an import", () => {
  test("finds by id, by name and by identity", async () => {
    const { client } = await configured();
    const state = decode((await create(client, written)).newState) ?? {};
    const id = String(state["id"]);
    const identity = { identityData: identityCodec.encode({ thing_id: id }).value };
    for (const request of [{ id }, { id: "a" }, { identity }]) {
      const { importedResources } = await client.call(ProviderMethods.importResourceState, {
        typeName,
        ...request,
      });
      const [imported] = importedResources;
      expect(imported?.typeName).toBe(typeName);
      expect(decode(imported?.state)).toEqual(state);
      expect(identityCodec.decode(imported?.identity?.identityData)).toEqual({ thing_id: id });
    }
  });

  test("of nothing says so", async () => {
    const { client } = await configured();
    const { importedResources, diagnostics } = await client.call(ProviderMethods.importResourceState, {
      typeName,
      id: "nothing",
    });
    expect(importedResources).toEqual([]);
    expect(errors(diagnostics)).toEqual(['Unable to import thing "nothing"']);
  });
});

test("a data source is read with its defaults", async () => {
  const { client } = await configured();
  await create(client, written);
  const dataCodec = createCodec(toyProvider().dataSources[0]?.attributes ?? {});
  const { state } = await client.call(ProviderMethods.readDataSource, {
    typeName: "breezeblock_things",
    config: dataCodec.encode({}).value,
  });
  expect(dataCodec.decode(state)).toEqual({ prefix: "", names: ["a"], count: 1 });
});

describe("clients", () => {
  test("have settings and caches of their own, new ones with every configuration", async () => {
    let made = 0;
    let closed = 0;
    const provider = toyProvider({ onConfigure: () => (made += 1), onClose: () => (closed += 1) });
    const { client, served } = await configured(provider);
    const other = GrpcClient.toSocket(socketOf(served.reattach));
    await configure(other, {});
    expect([made, closed]).toEqual([2, 0]);
    await configure(client, {});
    expect([made, closed]).toEqual([3, 1]);
    await client.call(GRPCControllerMethods.shutdown, {});
    expect([made, closed]).toEqual([3, 2]);
    await other.close();
    await served.close();
    expect([made, closed]).toEqual([3, 3]);
  });
});
