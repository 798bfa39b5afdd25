import type { Engine, Outcome, Program } from "./engine.ts";
import { type Narrator, QuickstartError } from "./narrator.ts";
import type { StorageDirectory, StoredObject } from "./storage-directory.ts";

const bytesPerGib = 2 ** 30;
const firstText = "written before the snapshot";
const laterText = "written after the snapshot.";

const foreignLabels = { app: "changed by hand" };

export interface Scene {
  readonly engine: Engine;
  readonly storage: StorageDirectory;
  readonly narrator: Narrator;
}

/** The whole life of a volume, step by step, each proven on the host. Throws `QuickstartError` where one is not. */
export async function tellStory(scene: Scene): Promise<void> {
  const volume: Program = { size: 1, copies: false, attached: false };
  const grown: Program = { ...volume, size: 2 };
  const copied: Program = { ...grown, copies: true };
  const attached: Program = { ...copied, attached: true };

  await create(scene, volume);
  await planNothing(scene);
  await grow(scene, grown);
  await refuseShrinking(scene, grown);
  await copy(scene, copied);
  await attach(scene, attached);
  const wantedLabels = await showDrift(scene);
  await repair(scene, wantedLabels);
  await destroy(scene);
}

async function create(scene: Scene, program: Program): Promise<void> {
  scene.narrator.step("Create a volume of 1 GiB, with labels");
  await write(scene, program);
  await succeed(scene, "apply");
  const objects = await list(scene);
  const [data] = objects;
  check(scene, "the host has one volume, a file of exactly 1 GiB", sizes(objects), "data 1 GiB");
  scene.narrator.proof(labels(data) !== "", "its labels are kept beside it", "no labels");
  await scene.storage.write(required(data), firstText);
  scene.narrator.note(`(Somebody uses the volume and writes "${firstText}" into it.)`);
}

async function planNothing(scene: Scene): Promise<void> {
  scene.narrator.step("Plan again, with nothing changed");
  const before = await fingerprint(scene);
  const outcome = await run(scene, "plan");
  expect(scene, outcome, "unchanged", "the plan is empty");
  check(scene, "nothing on the host has changed", await fingerprint(scene), before);
}

async function grow(scene: Scene, program: Program): Promise<void> {
  scene.narrator.step("Grow it in place, from 1 to 2 GiB");
  const before = await object(scene, "data");
  await write(scene, program);
  await succeed(scene, "apply");
  const objects = await list(scene);
  check(scene, "the file has 2 GiB", sizes(objects), "data 2 GiB");
  const after = required(objects[0]);
  check(scene, "it is the same file", after.file, before.file);
  await checkText(scene, after, firstText, "what was written in it is still there");
}

async function refuseShrinking(scene: Scene, program: Program): Promise<void> {
  scene.narrator.step("Ask for 1 GiB again: a smaller size would cut off data");
  await write(scene, { ...program, size: 1 });
  const outcome = await run(scene, "plan");
  expect(scene, outcome, "failed", "it is refused when planning, before anything is done");
  check(scene, "the file still has 2 GiB", sizes(await scene.storage.objects()), "data 2 GiB");
  await scene.engine.write(program);
}

async function copy(scene: Scene, program: Program): Promise<void> {
  const { hasClone } = scene.engine;
  scene.narrator.step(`Take a snapshot, make a larger volume from it${hasClone ? ", and a clone" : ""}`);
  await write(scene, program);
  await succeed(scene, "apply");
  const objects = await list(scene);
  check(
    scene,
    "there they are, and the volume from the snapshot is larger",
    sizes(objects),
    `${hasClone ? "clone 2 GiB, " : ""}data 2 GiB, restored 3 GiB, before-upgrade 2 GiB`,
  );
  await scene.storage.write(await object(scene, "data"), laterText);
  scene.narrator.note(`(Somebody writes "${laterText}" into data.)`);
  for (const name of ["before-upgrade", "restored", ...(hasClone ? ["clone"] : [])]) {
    await checkText(scene, await object(scene, name), firstText, `${name} keeps what was there before`);
  }
}

async function attach(scene: Scene, program: Program): Promise<void> {
  scene.narrator.step("Attach the volume");
  await write(scene, program);
  await succeed(scene, "apply");
  await list(scene);
  const { attachedTo } = await object(scene, "data");
  check(scene, "the host notes who uses it", attachedTo.join(), "storage");
}

/** Returns the labels that were there before. */
async function showDrift(scene: Scene): Promise<string> {
  scene.narrator.step("Behind our back, somebody deletes a volume's file and changes another's labels");
  const [data, restored] = [await object(scene, "data"), await object(scene, "restored")];
  scene.narrator.note(`rm ${restored.file}   (restored)`);
  await scene.storage.deleteData(restored);
  scene.narrator.note(`edit ${data.file.replace(".raw", ".json")}   (data: app = "${foreignLabels.app}")`);
  await scene.storage.changeLabels(data, foreignLabels);
  const outcome = await run(scene, "plan");
  expect(scene, outcome, "changed", "the plan shows that something is not as written");
  const shown = outcome.highlights.join("\n");
  scene.narrator.proof(/restored/.test(shown), "it names the volume that is gone", shown);
  scene.narrator.proof(/\bdata\b/.test(shown), "it names the volume whose labels differ", shown);
  check(
    scene,
    "planning repaired nothing yet",
    labels(await object(scene, "data")),
    labels({ labels: foreignLabels }),
  );
  return labels(data);
}

async function repair(scene: Scene, wantedLabels: string): Promise<void> {
  scene.narrator.step("Apply: it is as written again");
  await succeed(scene, "apply");
  await list(scene);
  const restored = await object(scene, "restored");
  check(scene, "the deleted volume is back, with 3 GiB", String(restored.sizeBytes), String(3 * bytesPerGib));
  await checkText(scene, restored, firstText, "it has the snapshot's content again");
  check(scene, "the labels are back", labels(await object(scene, "data")), wantedLabels);
  await checkText(scene, await object(scene, "data"), laterText, "data itself was not touched");
}

async function destroy(scene: Scene): Promise<void> {
  scene.narrator.step("Destroy everything");
  await succeed(scene, "destroy");
  const files = await scene.storage.files();
  check(scene, "no volume, no snapshot and no other file is left in the directory", files.join(", "), "");
}

async function write({ engine, narrator }: Scene, program: Program): Promise<void> {
  for (const line of await engine.write(program)) narrator.note(line);
}

async function run({ engine, narrator }: Scene, action: "plan" | "apply" | "destroy"): Promise<Outcome> {
  const started = performance.now();
  const outcome = await engine[action]();
  narrator.command(outcome, (performance.now() - started) / 1_000);
  return outcome;
}

async function succeed(scene: Scene, action: "apply" | "destroy"): Promise<void> {
  const outcome = await run(scene, action);
  if (outcome.result === "failed")
    throw new QuickstartError(`The command failed. All it said:\n\n${outcome.output}`);
}

function expect({ narrator }: Scene, outcome: Outcome, wanted: Outcome["result"], statement: string): void {
  narrator.proof(outcome.result === wanted, statement, `${outcome.result}\n\n${outcome.output}`);
}

function check({ narrator }: Scene, statement: string, found: string, wanted: string): void {
  narrator.proof(found === wanted, statement, `${found || "nothing"}, not: ${wanted || "nothing"}`);
}

async function checkText(scene: Scene, stored: StoredObject, text: string, statement: string): Promise<void> {
  check(scene, statement, await scene.storage.read(stored, text.length), text);
}

/** Shows what there is on the host. */
async function list({ storage, narrator }: Scene): Promise<readonly StoredObject[]> {
  const objects = await storage.objects();
  narrator.note("On the host:");
  for (const stored of objects) {
    const notes = [labels(stored), ...stored.attachedTo.map((host) => `attached to ${host}`)].filter(
      (note) => note !== "",
    );
    narrator.line(
      `     ${gib(stored)}  ${stored.name.padEnd(15)} ${stored.file}  ${notes.join("; ")}`.trimEnd(),
    );
  }
  return objects;
}

async function object({ storage }: Scene, name: string): Promise<StoredObject> {
  return required(
    (await storage.objects()).find((stored) => stored.name === name),
    name,
  );
}

function required<T>(value: T | undefined, name = "data"): T {
  if (value === undefined) throw new QuickstartError(`The host has no "${name}".`);
  return value;
}

function gib({ sizeBytes }: StoredObject): string {
  return `${sizeBytes / bytesPerGib} GiB`;
}

function sizes(objects: readonly StoredObject[]): string {
  return objects.map((stored) => `${stored.name} ${gib(stored)}`).join(", ");
}

function labels(stored: Pick<StoredObject, "labels"> | undefined): string {
  return Object.entries(stored?.labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(", ");
}

/** Names, sizes and labels of everything. */
async function fingerprint({ storage }: Scene): Promise<string> {
  return (await storage.objects())
    .map((stored) => `${stored.file} ${gib(stored)} ${labels(stored)}`)
    .join("; ");
}
