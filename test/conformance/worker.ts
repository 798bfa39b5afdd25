/**
 * A run of the provider in a process of its own: `worker.ts <task as JSON>`, a `WorkerTask`. Prints the ids that it
 * leaves. Ends itself with SIGKILL where it was told to.
 */
import { Fleet, type FleetSettings } from "../../src/backend/index.ts";
import { openHost } from "../../src/ssh/index.ts";
import { InterposedHost } from "./interposed-host.ts";
import { type Place, Places } from "./places.ts";
import { Session } from "./session.ts";
import type { Storage } from "./subject.ts";

export interface WorkerTask {
  readonly settings: FleetSettings;
  readonly storage: Pick<Storage, "provisioning">;
  readonly work: /** Creates, copies and deletes; leaves `count` volumes. */
    | { readonly kind: "churn"; readonly count: number }
    | { readonly kind: "create" }
    | { readonly kind: "adopt"; readonly reference: string }
    | { readonly kind: "give back"; readonly id: string }
    | { readonly kind: "clone"; readonly sourceId: string }
    | { readonly kind: "delete after a snapshot"; readonly volumeId: string }
    | { readonly kind: "group"; readonly volumeIds: readonly string[] }
    | { readonly kind: "restore"; readonly volumeId: string; readonly snapshotId: string }
    | {
        readonly kind: "move";
        readonly volumeId: string;
        readonly from: Place;
        readonly elsewhere: WorkerTask["storage"];
      };
  /** A number: in place of the command of that number under a lock. `job`: once its first job has begun. */
  readonly dieAt?: number | "job";
}

const task = JSON.parse(process.argv[2] ?? "") as WorkerTask;
const die = () => process.kill(process.pid, "SIGKILL");
const fleet = new Fleet(task.settings, {
  openHost: (settings, options) =>
    new InterposedHost(openHost(settings, options), {
      locked(argv, nth) {
        if (nth === task.dieAt) die();
        return argv;
      },
      ...(task.dieAt === "job" ? { onJobBegun: die } : {}),
    }),
});
const [backend] = fleet.backends;
if (backend === undefined) throw new Error("there is no backend");
process.stdout.write(JSON.stringify(await work(new Session(backend, task.storage), task.work)));
await fleet.close();
process.exit();

async function work(session: Session, what: WorkerTask["work"]): Promise<readonly string[]> {
  if (what.kind === "create") return [(await session.create()).id];
  if (what.kind === "adopt") {
    const found = await session.manageable(what.reference);
    return found === undefined ? [] : [(await session.adopt(found)).id];
  }
  if (what.kind === "give back") {
    await session.giveBack(what);
    return [];
  }
  if (what.kind === "clone") return [(await session.create(cloneOf(what.sourceId))).id];
  if (what.kind === "delete after a snapshot") {
    const last = await session.deleteAfterSnapshot({ id: what.volumeId });
    return last === undefined ? [] : [last.id];
  }
  if (what.kind === "restore") {
    return [(await session.putBack({ id: what.volumeId }, { id: what.snapshotId })).id];
  }
  if (what.kind === "move") {
    const places = new Places(fleet, { storage: task.storage, elsewhere: what.elsewhere });
    return [(await places.move({ id: what.volumeId }, what.from)).id];
  }
  if (what.kind === "group") return [(await session.groupSnapshot(what.volumeIds.map((id) => ({ id })))).id];
  const ids: string[] = [];
  for (let round = 0; round < what.count; round += 1) {
    const volume = await session.create({ name: `data-${process.pid}-${round}` });
    const snapshot = await session.snapshot(volume, { name: `before-${process.pid}-${round}` });
    const copy = await session.fromSnapshot(snapshot, { name: `copy-${process.pid}-${round}` });
    await session.deleteSnapshot(snapshot);
    await session.delete(volume);
    ids.push(copy.id);
  }
  return ids;
}

function cloneOf(id: string) {
  return { name: "clone", sizeBytes: null, source: { kind: "volume", id } } as const;
}
