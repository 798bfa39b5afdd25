import { beforeEach, describe, expect, it } from "vitest";
import { type DynamicHooks, serveResource } from "./dynamic-provider.ts";
import { HookError, UnfinishedError } from "./messages.ts";
import { renamedNames } from "./names.ts";
import { Session } from "./session.ts";
import { ToyShelf, toyProvider } from "./testing/toy-provider.ts";
import type { Properties } from "./values.ts";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const __provider = "exports.handler=…";

let shelf: ToyShelf;
let hooks: DynamicHooks;
let warnings: string[];

beforeEach(() => {
  shelf = new ToyShelf();
  hooks = newProcess();
});

/** The hooks as a provider process has them; Pulumi starts one for each preview and update. */
function newProcess(): DynamicHooks {
  const provider = toyProvider(shelf);
  warnings = [];
  const session = new Session(provider, {
    logger: { log: () => {} },
    warn: ({ summary }) => warnings.push(summary),
  });
  session.configure({ rawConfig: {} }, "");
  const [box] = provider.resources;
  if (box === undefined) throw new Error("the toy provider has no resource");
  return serveResource(box, session, renamedNames(provider));
}

/** Checks and creates, as `pulumi up` does. */
async function up(inputs: Properties): Promise<{ id: string; outs: Properties; inputs: Properties }> {
  const { inputs: checked, failures } = await hooks.check({}, inputs);
  expect(failures).toEqual([]);
  const { id, outs } = await hooks.create({ ...checked, __provider });
  return { id, outs: { ...outs, __provider }, inputs: checked };
}

describe("check", () => {
  it("fills in defaults at every level and keeps the keys of maps", async () => {
    const { inputs, failures } = await hooks.check(
      {},
      { size: 1, boxLabels: { some_key: "x", someKey: "y" }, lid: { madeOf: "oak" }, __provider },
    );
    expect(failures).toEqual([]);
    expect(inputs).toEqual({
      size: 1,
      boxLabels: { some_key: "x", someKey: "y" },
      lid: { madeOf: "oak", hingeCount: 2 },
      isOpen: false,
    });
  });

  it("lets unknowns through", async () => {
    const { inputs, failures } = await hooks.check(
      {},
      { size: unknown, lid: unknown, boxLabels: { a: unknown } },
    );
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ size: unknown, lid: unknown, boxLabels: { a: unknown } });
  });

  it.for([
    [{}, "size", /Missing size/],
    [{ size: 1, lid: { hingeCount: "many" } }, "lid.hingeCount", /"lid.hingeCount" must be a whole number/],
    [{ size: 1, lid: { hinges: 2 } }, "lid.hinges", /there are: hingeCount, madeOf/],
    [{ size: 1, changedAt: 3 }, "changedAt", /"changedAt" is set by the provider/],
    [{ size: 1, isOpen: true }, "isOpen", /isOpen needs a lid/],
    [{ size: 1, adopt: 7 }, "adopt", /id of an existing object/],
  ] as const)("refuses %j at %s", async ([news, property, reason]) => {
    const { failures } = await hooks.check({}, news);
    expect(failures).toEqual([{ property, reason: expect.stringMatching(reason) as string }]);
  });

  it("only warns of a name that is taken on the host: it may be that of the object being replaced", async () => {
    const { id, outs } = await up({ name: "a", size: 1 });
    hooks = newProcess();
    const { inputs, failures } = await hooks.check({}, { name: "a", size: 1 });
    expect(failures).toEqual([]);
    expect(warnings).toEqual(['Unable to create box "a"']);
    await expect(hooks.create(inputs)).rejects.toThrow(/There is one/);
    await hooks.delete(id, outs);
    expect(await hooks.create(inputs)).toMatchObject({ id: "shelf/2" });
  });

  it("refuses two creations of one name in a run, though not the creation that follows its check", async () => {
    await up({ name: "a", size: 1 });
    const { failures } = await hooks.check({}, { name: "a", size: 1 });
    expect(failures).toEqual([
      { property: "name", reason: expect.stringContaining("Two resources") as string },
    ]);
  });
});

describe("diff", () => {
  it("sees no change in what was applied", async () => {
    const { id, outs, inputs } = await up({ name: "a", size: 1, lid: {} });
    expect(await hooks.diff(id, outs, inputs)).toMatchObject({ changes: false, replaces: [] });
  });

  it("tells changes in place from replacements, which delete first", async () => {
    const { id, outs, inputs } = await up({ size: 1 });
    expect(await hooks.diff(id, outs, { ...inputs, size: 2 })).toMatchObject({ changes: true, replaces: [] });
    expect(await hooks.diff(id, outs, { ...inputs, paintColour: "red" })).toEqual({
      changes: true,
      replaces: ["paintColour"],
      deleteBeforeReplace: true,
    });
  });

  it("refuses what cannot be for inputs that were checked, and only then: a refresh asks too", async () => {
    const { id, outs, inputs } = await up({ name: "a", size: 5 });
    hooks = newProcess();
    expect(await hooks.diff(id, outs, { ...inputs, size: 4 })).toEqual({ changes: true });
    const { inputs: checked } = await hooks.check(inputs, { name: "a", size: 4 });
    await expect(hooks.diff(id, outs, { ...checked, __provider })).rejects.toThrow(
      /^size: Unable to shrink box "a"/,
    );
  });

  it("refuses a replacement of what must not be deleted", async () => {
    const { id, outs, inputs } = await up({ name: "a", size: 5, boxLabels: { keep_me: "" } });
    const { inputs: checked } = await hooks.check(inputs, { ...inputs, paintColour: "red" });
    await expect(hooks.diff(id, outs, checked)).rejects.toThrow(/Unable to delete box "a"/);
  });

  it("takes a change of `adopt` for none", async () => {
    const { id, outs, inputs } = await up({ name: "a", size: 1 });
    const { inputs: checked } = await hooks.check(inputs, { name: "a", size: 1, adopt: "shelf/9" });
    expect(checked).toMatchObject({ adopt: "shelf/9" });
    expect(await hooks.diff(id, outs, checked)).toMatchObject({ changes: false });
  });

  it("understands a state of an older version", async () => {
    const { id, outs, inputs } = await up({ name: "a", size: 1, paintColour: "red" });
    const { paintColour: colour, __version, ...old } = outs;
    expect(__version).toBe(1);
    expect(await hooks.diff(id, { ...old, colour }, inputs)).toMatchObject({ changes: false });
  });
});

describe("create, update and delete", () => {
  it("keeps only what is set in state, without the id, which Pulumi keeps itself", async () => {
    const { id, outs } = await up({ name: "a", size: 1 });
    expect(id).toBe("shelf/1");
    expect(outs).toEqual({
      name: "a",
      size: 1,
      isOpen: false,
      changedAt: 1,
      __version: 1,
      __given: ["name"],
      __provider,
    });
  });

  it("updates, and tells the fleet of the old state first", async () => {
    const { id, outs, inputs } = await up({ name: "a", size: 1 });
    const { outs: updated } = await hooks.update(id, outs, { ...inputs, size: 2 });
    expect(updated).toMatchObject({ size: 2, changedAt: 2 });
    expect(shelf.noted).toEqual(["shelf/1"]);
  });

  it("deletes what may be deleted", async () => {
    const kept = await up({ name: "kept", size: 1, boxLabels: { keep_me: "" } });
    await expect(hooks.delete(kept.id, kept.outs)).rejects.toThrow(/It is kept/);
    const { id, outs } = await up({ name: "a", size: 1 });
    await hooks.delete(id, outs);
    expect([...shelf.boxes.keys()]).toEqual([kept.id]);
  });

  it("keeps a half-made object in state, and has it replaced", async () => {
    shelf.failsHalfway = true;
    const { inputs } = await hooks.check({}, { name: "a", size: 1 });
    const error = await hooks.create({ ...inputs, __provider }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnfinishedError);
    expect(error).toMatchObject({
      id: "shelf/1",
      properties: { name: "a", size: 1, __provider },
      reasons: [expect.stringContaining("No paint") as string],
    });
    const { properties } = error as { properties: Properties };
    expect(await hooks.diff("shelf/1", properties, inputs)).toMatchObject({
      changes: true,
      replaces: ["__unfinished"],
    });
    const { props = {} } = await hooks.read("shelf/1", properties);
    expect(await hooks.diff("shelf/1", props, inputs)).toMatchObject({ replaces: ["__unfinished"] });
  });

  it("keeps what a half-way update has come to, to go on from there", async () => {
    const { id, outs, inputs } = await up({ name: "a", size: 1 });
    shelf.failsHalfway = true;
    const error = await hooks
      .update(id, outs, { ...inputs, size: 2, __provider })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ id, properties: { size: 2, __provider } });
    const { properties } = error as { properties: Properties };
    expect(await hooks.diff(id, properties, { ...inputs, size: 2 })).toMatchObject({
      changes: false,
      replaces: [],
    });
  });

  it("says what failed, and keeps nothing, where nothing was made", async () => {
    shelf.reachable = false;
    const error = await hooks.create({ size: 1 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HookError);
    expect(error).not.toHaveProperty("id");
    expect(error).toHaveProperty("message", "Unable to reach the shelf: Nobody answers.");
  });
});

describe("read", () => {
  it("finds nothing changed", async () => {
    const { id, outs } = await up({ name: "a", size: 1 });
    expect(await hooks.read(id, outs)).toEqual({ id, props: { ...outs, __provider: undefined } });
  });

  it("answers with an empty id for what is gone, and an error where that is not certain", async () => {
    const { id, outs } = await up({ name: "a", size: 1 });
    shelf.boxes.clear();
    expect(await hooks.read(id, outs)).toEqual({ id: "" });
    shelf.reachable = false;
    await expect(hooks.read(id, outs)).rejects.toThrow(/Nobody answers/);
  });

  it("shows drift as inputs that would have led there, which the next diff undoes", async () => {
    const { id, outs, inputs } = await up({ size: 1, boxLabels: { a: "1" } });
    const box = shelf.boxes.get(id);
    if (box === undefined) throw new Error("the box is not there");
    shelf.boxes.set(id, { ...box, box_labels: { a: "2" } });
    const { props = {}, inputs: live } = await hooks.read(id, outs);
    expect(props).toMatchObject({ boxLabels: { a: "2" } });
    // The name was not given: it stays out.
    expect(live).toEqual({ size: 1, boxLabels: { a: "2" }, isOpen: false });
    expect(await hooks.diff(id, props, inputs)).toMatchObject({ changes: true, replaces: [] });
  });
});

describe("adopt", () => {
  const found = "shelf/found";

  beforeEach(async () => {
    const { id } = await up({ name: "found", size: 3, paintColour: "red" });
    const box = shelf.boxes.get(id);
    shelf.boxes.clear();
    if (box !== undefined) shelf.boxes.set(found, { ...box, id: found });
    shelf.calls.length = 0;
  });

  it("takes over what is as written without touching it", async () => {
    const { id, outs, inputs } = await up({
      name: "found",
      size: 3,
      paintColour: "red",
      adopt: "shelf/found",
    });
    expect(id).toBe(found);
    expect(shelf.calls).toEqual([]);
    expect(await hooks.diff(id, outs, inputs)).toMatchObject({ changes: false });
  });

  it("brings the rest to what is written, in place", async () => {
    const { outs } = await up({ name: "renamed", size: 4, paintColour: "red", adopt: found });
    expect(shelf.calls).toEqual([`update ${found}`]);
    expect(outs).toMatchObject({ name: "renamed", size: 4 });
  });

  it("says in the preview what becomes of what exists", async () => {
    await hooks.check({}, { name: "renamed", size: 3, paintColour: "red", adopt: found });
    expect(warnings).toEqual(["shelf/found is adopted, not created"]);
  });

  it("never replaces", async () => {
    const { failures } = await hooks.check({}, { size: 3, paintColour: "blue", adopt: found });
    expect(failures).toEqual([
      {
        property: "paintColour",
        reason: expect.stringContaining("Unable to change this box in place") as string,
      },
    ]);
    await expect(hooks.create({ size: 3, paintColour: "blue", adopt: found })).rejects.toThrow(/in place/);
    expect(shelf.calls).toEqual([]);
  });

  it("takes what is not known in the preview to be what is there", async () => {
    const news = {
      name: "found",
      size: unknown,
      paintColour: unknown,
      boxLabels: { a: unknown },
      adopt: found,
    };
    const { inputs, failures } = await hooks.check({}, news);
    expect(failures).toEqual([]);
    expect(inputs).toEqual(expect.objectContaining(news));
  });

  it("complains of what is not there, at `adopt`", async () => {
    const { failures } = await hooks.check({}, { size: 3, adopt: "shelf/none" });
    expect(failures).toEqual([
      { property: "adopt", reason: expect.stringContaining("There is none") as string },
    ]);
  });
});
