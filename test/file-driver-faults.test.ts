import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Executor, Inventory, LockedContext, Work } from "../src/contract/index.ts";
import { findCommand } from "./support/commands.ts";
import { FileBackend, mebibyte, needs, newSnapshot, newVolume } from "./support/file-backend.ts";
import { LocalExecutor } from "./support/local-executor.ts";
import { makeTempDirectory, removeDirectory } from "./support/temp-directory.ts";

/** What a change uses; at the n-th use of any of them something happens. */
const tools = ["mv", "rm", "cp", "sync", "truncate", "fallocate", "qemu-img", "stat", "od", "mkdir", "xargs"];

type Accident = "killed" | "tool fails";

/** Tools of which the n-th to be used kills the whole command before its own work, or fails. */
class BreakingTools {
  readonly directory = makeTempDirectory();
  readonly #count = `${this.directory}/count`;

  constructor() {
    for (const tool of tools) {
      const real = findCommand(tool);
      if (real !== undefined) writeFileSync(`${this.directory}/${tool}`, wrapper(real), { mode: 0o755 });
    }
  }

  executor(accident: Accident, at: number): LocalExecutor {
    rmSync(this.#count, { force: true });
    writeFileSync(`${this.directory}/accident`, `${accident.split(" ")[0]} ${at}\n`);
    return new LocalExecutor({ path: `${this.directory}:${process.env["PATH"]}` });
  }

  get uses(): number {
    return readFileSync(this.#count, "utf8").length;
  }
}

function wrapper(real: string): string {
  return `#!/bin/sh
here=$(dirname "$0")
printf . >> "$here/count"
read -r accident at < "$here/accident"
[ "$(($(wc -c < "$here/count")))" = "$at" ] || exec ${real} "$@"
case $accident in
  killed) kill -9 0 ;;
  tool) echo "$0: broken" >&2; exit 1 ;;
esac
`;
}

/** One change to a backend that holds something already. */
interface Change {
  readonly title: string;
  readonly format: "raw" | "qcow2";
  /** Made once a round; what it returns does the change, as often as needed. */
  prepare(backend: FileBackend): Promise<(executor: Executor) => Promise<void>>;
}

function change(
  backend: FileBackend,
  executor: Executor,
  use: (context: LockedContext) => Promise<unknown>,
): Promise<unknown> {
  return backend.change(({ fresh }) => use({ executor, fresh }));
}

async function copy(
  backend: FileBackend,
  executor: Executor,
  begin: (context: LockedContext) => Promise<Work<unknown>>,
  complete: (context: LockedContext) => Promise<unknown>,
): Promise<void> {
  const creation = (await change(backend, executor, begin)) as Work<unknown>;
  if (creation.state === "ready") return;
  const { exitCode, stderr } = await executor.run(creation.job.argv);
  if (exitCode !== 0) throw new Error(`copy job: ${exitCode} ${stderr}`);
  await change(backend, executor, complete);
}

const changes: readonly Change[] = [
  {
    title: "CRE-1: create",
    format: "raw",
    async prepare(backend) {
      const asked = newVolume();
      return async (executor) => {
        await change(backend, executor, (context) => backend.driver.createVolume(asked, context));
      };
    },
  },
  {
    title: "CRE-1: create",
    format: "qcow2",
    async prepare(backend) {
      const asked = newVolume();
      return async (executor) => {
        await change(backend, executor, (context) => backend.driver.createVolume(asked, context));
      };
    },
  },
  {
    title: "CLN-1: thick clone, larger",
    format: "raw",
    async prepare(backend) {
      const source = await backend.create({ name: "source", provisioning: "thick" });
      const asked = newVolume({
        provisioning: "thick",
        sizeBytes: 2 * source.sizeBytes,
        source: { kind: "volume", id: source.id },
      });
      return (executor) =>
        copy(
          backend,
          executor,
          (context) => backend.driver.createClonedVolume(asked, source, context),
          (context) => backend.driver.completeVolume(asked.id, context),
        );
    },
  },
  {
    title: "SNP-1: snapshot",
    format: "qcow2",
    async prepare(backend) {
      const source = await backend.create({ name: "source" });
      const asked = newSnapshot(source);
      return (executor) =>
        copy(
          backend,
          executor,
          (context) => backend.driver.createSnapshot(asked, source, context),
          (context) => backend.driver.completeSnapshot(asked.id, context),
        );
    },
  },
  {
    title: "EXT-1: thick extend",
    format: "raw",
    async prepare(backend) {
      const volume = await backend.create({ name: "source", provisioning: "thick" });
      return async (executor) => {
        await change(backend, executor, (context) =>
          backend.driver.extendVolume(volume, 2 * volume.sizeBytes, context),
        );
      };
    },
  },
  {
    title: "update",
    format: "raw",
    async prepare(backend) {
      const volume = await backend.create();
      return async (executor) => {
        await change(backend, executor, (context) =>
          backend.driver.updateVolume(volume, { name: "new" }, context),
        );
      };
    },
  },
  {
    title: "acknowledge",
    format: "raw",
    async prepare(backend) {
      const ids = [(await backend.create()).id, (await backend.create()).id];
      return async (executor) => {
        await change(backend, executor, (context) => backend.driver.acknowledge(ids, context));
      };
    },
  },
  {
    title: "DEL-1: delete",
    format: "raw",
    async prepare(backend) {
      const volume = await backend.create();
      return async (executor) => {
        await change(backend, executor, (context) =>
          backend.driver.deleteVolume(volume.id, volume.owner, context),
        );
      };
    },
  },
];

describe.each(["killed", "tool fails"] as const)("%s", (accident) => {
  let breaking: BreakingTools;
  beforeAll(() => {
    breaking = new BreakingTools();
    return () => removeDirectory(breaking.directory);
  });

  test.for(changes)(
    "$title ($format), at every step: listed without damage, repeated with success, deleted without a trace",
    async ({ format, prepare }, context) => {
      needs(format, context);
      for (let at = 1; ; at += 1) {
        const backend = await FileBackend.open({ format });
        const precious = await backend.create({ name: "precious" });
        if (format === "raw") writeFileSync(precious.location, "precious", { flag: "r+" });
        const content = readFileSync(precious.location);
        const run = await prepare(backend);
        const failed = await run(breaking.executor(accident, at)).then(
          () => false,
          () => true,
        );
        const uses = breaking.uses;
        const after = await backend.list();
        expect([...after.damaged.values()]).toEqual([]);
        for (const { name, phase, sizeBytes } of [...after.volumes.values(), ...after.snapshots.values()]) {
          expect(["precious", "source", "data", "new", "before"]).toContain(name);
          expect(["creating", "unacknowledged", "acknowledged"]).toContain(phase);
          expect([4 * mebibyte, 8 * mebibyte]).toContain(sizeBytes);
        }
        expect(after.volumes.has(precious.id)).toBe(true);
        await run(backend.executor);
        const repeated = await backend.list();
        const phases = [...repeated.volumes.values(), ...repeated.snapshots.values()].map(
          ({ phase }) => phase,
        );
        expect(phases).not.toContain("creating");
        expect(readFileSync(precious.location).equals(content)).toBe(true);
        await deleteAll(backend, repeated);
        expect(backend.leftBehind()).toEqual([]);
        removeDirectory(backend.directory);
        if (uses < at) {
          // The accident's turn never came: the change is through.
          expect(failed).toBe(false);
          expect(at).toBeGreaterThan(3);
          return;
        }
      }
    },
  );

  test("CRE-1: what a create that is not repeated leaves is swept by the next change", async () => {
    for (let at = 1; at <= 4; at += 1) {
      const backend = await FileBackend.open();
      await change(backend, breaking.executor(accident, at), (context) =>
        backend.driver.createVolume(newVolume({ name: "lost" }), context),
      ).catch(() => {});
      await backend.delete(await backend.create());
      await deleteAll(backend, await backend.list());
      expect(backend.leftBehind()).toEqual([]);
    }
  });
});

async function deleteAll(backend: FileBackend, inventory: Inventory): Promise<void> {
  for (const snapshot of inventory.snapshots.values()) await backend.deleteSnapshot(snapshot);
  for (const volume of inventory.volumes.values()) await backend.delete(volume);
}
