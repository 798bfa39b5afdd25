import type { ChildProcess } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bytesPerGib } from "../../../src/contract/index.ts";
import { findCommand } from "../../support/commands.ts";
import { StorageHost } from "../../support/storage.ts";
import { makeTempDirectory, removeDirectory } from "../../support/temp-directory.ts";
import { resultOf } from "../../support/terraform.ts";
import { waitFor } from "../../support/wait-for.ts";
import { describeEngines, firstEngine, Scenario, useExecutable } from "./scenario.ts";

const executable = useExecutable();

/** Tools on the host that stand still at a gate while it is closed. */
class Gates {
  readonly directory = makeTempDirectory();

  constructor(tools: readonly string[]) {
    for (const tool of tools) {
      const gate = join(this.directory, tool);
      const real = findCommand(tool) ?? tool;
      writeFileSync(
        gate,
        `#!/bin/sh\necho "$*" >> ${gate}.calls\nwhile [ -e ${gate}.closed ]; do : > ${gate}.reached; sleep 0.02; done\nexec ${real} "$@"\n`,
      );
      chmodSync(gate, 0o755);
    }
  }

  close(tool: string): void {
    for (const ending of ["reached", "calls"])
      rmSync(join(this.directory, `${tool}.${ending}`), { force: true });
    writeFileSync(join(this.directory, `${tool}.closed`), "");
  }

  async reached(tool: string): Promise<void> {
    await waitFor(`a call of ${tool}`, () => existsSync(join(this.directory, `${tool}.reached`)), {
      deadlineMs: 30_000,
    });
  }

  calls(tool: string): readonly string[] {
    return readFileSync(join(this.directory, `${tool}.calls`), "utf8")
      .trim()
      .split("\n");
  }

  open(): void {
    for (const name of readdirSync(this.directory)) {
      if (name.endsWith(".closed")) rmSync(join(this.directory, name));
    }
  }
}

let gates: Gates;
let host: StorageHost;
beforeAll(async () => {
  gates = new Gates(["truncate", "sync", "mv", "cp", "rm", "dd"]);
  host = await StorageHost.start({ path: [gates.directory, process.env["PATH"]].join(delimiter) });
});
afterEach(() => gates.open());
afterAll(async () => {
  await host.stop();
  removeDirectory(gates.directory);
});

/** The provider's process that `engine` started and that serves it now. */
function providerOf(engine: ChildProcess): number {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(parent) === engine.pid) return Number(name);
    } catch {
      // Gone between the listing and the look.
    }
  }
  throw new Error("The engine has no provider.");
}

const hasProc = existsSync("/proc/self/stat");

describe.skipIf(!hasProc)(hasProc ? "killed" : "killed, left out: there is no /proc", () => {
  describeEngines((engine) => {
    const scenario = (owner = "acme/test", storage = host.newDirectory()) =>
      new Scenario(host, engine, { source: executable(), owner, storage });

    const db = (size = 1) =>
      `resource "breezeblock_volume" "db" {\n  name = "db"\n  size = ${size}\n  backend = "demo"\n}\n`;
    const snapshot = `resource "breezeblock_snapshot" "s" {\n  name = "s"\n  volume_id = breezeblock_volume.db.id\n}\n`;
    const clone =
      'resource "breezeblock_volume" "clone" {\n  name = "clone"\n  backend = "demo"\n  source = { volume_id = breezeblock_volume.db.id }\n}\n';

    /** Applies until `tool` is called, kills there, and lets what was called go on. */
    async function killAt(tool: string, run: Scenario, what: "provider" | "engine", keepClosed = false) {
      gates.close(tool);
      const child = run.terraform.start(["apply", "-auto-approve", "-no-color"]);
      const ended = resultOf(child);
      await gates.reached(tool);
      if (what === "provider") process.kill(providerOf(child), "SIGKILL");
      // Engine and provider at once, as when the power goes.
      else if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      const { exitCode } = await ended;
      expect(exitCode).not.toBe(0);
      if (!keepClosed) gates.open();
    }

    describe.each(["provider", "engine"] as const)("the %s", (what) => {
      test.each(["truncate", "sync", "mv"])("in a create, at %s", async (tool) => {
        const run = scenario();
        const { terraform, storage } = run;
        run.write(db());
        await killAt(tool, run, what);
        await terraform.applied();
        expect(storage.objects()).toHaveLength(1);
        await terraform.expectNoChanges();
        expect((await terraform.state()).map(({ values }) => values["id"])).toEqual([
          `demo/${storage.object("db").id}`,
        ]);
        await terraform.destroyed();
        expect(storage.leftBehind()).toEqual([]);
      });

      test.each(["truncate", "sync"])("in an extend, at %s", async (tool) => {
        const run = scenario();
        const { terraform, storage } = run;
        run.write(db());
        await terraform.applied();
        const made = storage.object("db");
        storage.writeData(made, "precious");
        // Nothing is left to acknowledge, so that the first call of a tool is the extend's.
        await terraform.expectNoChanges();
        run.write(db(2));
        await killAt(tool, run, what);
        await terraform.applied();
        expect(storage.sizeOf(made)).toBe(2 * bytesPerGib);
        expect(storage.readData(made, 8)).toBe("precious");
        await terraform.expectNoChanges();
        await terraform.destroyed();
        expect(storage.leftBehind()).toEqual([]);
      });

      test.each([
        ["a snapshot", db() + snapshot, "s", "snapshot"],
        ["a clone", db() + clone, "clone", "volume"],
      ] as const)(
        "in the copy of %s: a later run finds the copy that still goes on",
        async (_what, whole, name, kind) => {
          const run = scenario();
          const { terraform, storage } = run;
          run.write(db());
          await terraform.applied();
          storage.writeData(storage.object("db"), "precious");
          await terraform.expectNoChanges();
          run.write(whole);
          gates.close("cp");
          const child = terraform.start(["apply", "-auto-approve", "-no-color"]);
          const ended = resultOf(child);
          // The first call tries to make a reflink; the second is the job's.
          await gates.reached("cp");
          await waitFor("the reflink", () => gates.calls("cp").length >= 1);
          gates.open();
          gates.close("cp");
          await gates.reached("cp").catch(() => undefined);
          if (what === "provider") process.kill(providerOf(child), "SIGKILL");
          else if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          expect((await ended).exitCode).not.toBe(0);
          const again = terraform.start(["apply", "-auto-approve", "-no-color"]);
          const result = resultOf(again);
          gates.open();
          const { exitCode, text } = await result;
          expect(exitCode, text).toBe(0);
          expect(storage.readData(storage.object(name, kind), 8)).toBe("precious");
          await terraform.expectNoChanges();
          await terraform.destroyed();
          expect(storage.leftBehind()).toEqual([]);
        },
      );

      test("in a copy to an image: until it is gone on with, or has ended, its volume is kept", async () => {
        const run = scenario();
        const { terraform, storage } = run;
        run.write(db());
        await terraform.applied();
        storage.writeData(storage.object("db"), "precious");
        await terraform.expectNoChanges();
        const file = join(run.terraform.directory, "out.img");
        const image = `resource "breezeblock_image" "out" {\n  volume_id = breezeblock_volume.db.id\n  format = "raw"\n  path = "${file}"\n  deletion_policy = "delete"\n}\n`;
        run.write(db() + image);
        await killAt("cp", run, what, true);
        run.write("");
        const refused = await terraform.apply();
        expect(refused.exitCode).not.toBe(0);
        expect(refused.text).toMatch(/being\s+copied\s+to\s+the\s+image/);
        expect(existsSync(file)).toBe(false);
        gates.open();
        run.write(db() + image);
        await terraform.applied();
        expect(readFileSync(file).toString("latin1", 4096, 4104)).toBe("precious");
        await terraform.expectNoChanges();
        await terraform.destroyed();
        expect(storage.leftBehind()).toEqual([]);
        expect(readdirSync(run.terraform.directory).filter((name) => name.startsWith("out.img"))).toEqual([]);
      });

      // A copy, and then the volume's removal.
      test.each(["cp", "rm"])(
        "in a delete after a last snapshot, at %s: one of the two is whole",
        async (tool) => {
          const run = scenario();
          const { terraform, storage } = run;
          run.write(db().replace("}", '  deletion_policy = "snapshot"\n}'));
          await terraform.applied();
          storage.writeData(storage.object("db"), "precious");
          await terraform.expectNoChanges();
          run.write("");
          await killAt(tool, run, what);
          const isWhole = ({ phase }: { readonly phase: string }) => phase !== "creating";
          const whole = [...storage.objects(), ...storage.objects("snapshot")].filter(isWhole);
          expect(whole.map((found) => storage.readData(found, 8))).toContain("precious");
          await terraform.applied();
          expect(await terraform.state()).toEqual([]);
          expect(storage.objects()).toEqual([]);
          const kept = storage.objects("snapshot");
          expect(kept.length).toBeGreaterThan(0);
          for (const last of kept) {
            expect(last.phase).toBe("retained");
            expect(storage.readData(last, 8)).toBe("precious");
          }
        },
      );

      test("in a delete", async () => {
        const run = scenario();
        const { terraform, storage } = run;
        run.write(db());
        await terraform.applied();
        await terraform.expectNoChanges();
        run.write("");
        await killAt("rm", run, what);
        await terraform.applied();
        expect(await terraform.state()).toEqual([]);
        expect(storage.leftBehind()).toEqual([]);
      });
    });

    // The content is copied, the new volume becomes whole, the old one goes.
    test.each(["dd", "mv", "rm"])(
      "the engine in a move to another backend, at %s: the data is whole in one of them",
      async (tool) => {
        const run = scenario();
        const { terraform, storage } = run;
        const there = host.newDirectory();
        run.configure({ backends: { demo: run.backend(), other: run.backend(there) } });
        // Both have their identity before, so that the first call of a tool is the move's.
        const first =
          'resource "breezeblock_volume" "first" {\n  name = "first"\n  size = 1\n  backend = "other"\n}\n';
        run.write(db() + first);
        await terraform.applied();
        storage.writeData(storage.object("db"), "precious");
        await terraform.expectNoChanges();
        const moved = db().replace('"demo"', '"other"\n  on_backend_change = "migrate"');
        run.write(moved + first);
        await killAt(tool, run, "engine");
        const whole = [storage, there].flatMap((place) =>
          place
            .objects()
            .filter(({ name, phase }) => name === "db" && phase !== "creating" && phase !== "deleting")
            .map((found) => place.readData(found, 8)),
        );
        expect(whole).toContain("precious");
        await terraform.applied();
        expect(storage.leftBehind()).toEqual([]);
        expect(there.readData(there.object("db"), 8)).toBe("precious");
        await terraform.expectNoChanges();
        await terraform.destroyed();
        expect(there.leftBehind()).toEqual([]);
      },
    );

    test("what nobody finishes can still be destroyed", async () => {
      const run = scenario();
      const { terraform, storage } = run;
      run.write(db());
      await terraform.applied();
      run.write(db() + snapshot);
      await killAt("cp", run, "provider", true);
      run.write(db());
      gates.open();
      await terraform.applied();
      run.write(db() + snapshot);
      await terraform.applied();
      await terraform.destroyed();
      expect(storage.leftBehind()).toEqual([]);
    });
  }, firstEngine());

  describeEngines((engine) => {
    test("two engines of two owners in one directory at once", async () => {
      const storage = host.newDirectory();
      const runs = ["acme/one", "acme/two"].map(
        (owner) => new Scenario(host, engine, { source: executable(), owner, storage }),
      );
      for (const run of runs) {
        run.write(`resource "breezeblock_volume" "db" {
  count   = 4
  name    = "db-\${count.index}"
  size    = 1
  backend = "demo"
}
resource "breezeblock_snapshot" "s" {
  count     = 2
  name      = "s-\${count.index}"
  volume_id = breezeblock_volume.db[count.index].id
}
`);
      }
      await Promise.all(runs.map(({ terraform }) => terraform.applied()));
      await Promise.all(runs.map(({ terraform }) => terraform.expectNoChanges()));
      expect(storage.objects()).toHaveLength(8);
      expect(storage.objects("snapshot")).toHaveLength(4);
      const [first, second] = runs;
      await first?.terraform.destroyed();
      expect(storage.objects().map(({ owner }) => owner)).toEqual(Array(4).fill("acme/two"));
      await second?.terraform.expectNoChanges();
      await second?.terraform.destroyed();
      expect(storage.leftBehind()).toEqual([]);
    });
  });
});
