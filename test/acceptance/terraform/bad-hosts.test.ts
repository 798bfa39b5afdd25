import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { repositoryFile } from "../../../scripts/build-terraform.ts";
import { startFaultyProxy } from "../../support/faulty-proxy.ts";
import { startFaultySshServer } from "../../support/faulty-ssh-server.ts";
import { freePort } from "../../support/free-port.ts";
import { StorageHost } from "../../support/storage.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { outcomeOf } from "./diagnostics.ts";
import { describeEngines, firstEngine, type Scenario, useSite } from "./scenario.ts";

const site = useSite();
const canMount = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;
const leftOut = canMount ? "" : ", left out: only root can mount file systems";

const volume = (name: string, more = "") =>
  `resource "breezeblock_volume" "${name}" {\n  name = "${name}"\n  size = 1\n  backend = "demo"\n  ${more}\n}\n`;

/** Host `san1`, reached in another way; quick to give up. */
function reach(scenario: Scenario, changes: Readonly<Record<string, unknown>>): void {
  const san1 = { ...scenario.host.settings, dial_attempts: 1, dial_timeout: 2, ...changes };
  scenario.configure({ hosts: { san1 } });
}

/** Neither a read, nor a create, nor a destroy gets through, each with the same clear words; nothing changes. */
async function expectUnusable(scenario: Scenario, words: RegExp): Promise<void> {
  const { terraform, storage } = scenario;
  const before = { storage: storage.listing(), state: await terraform.state() };
  for (const [command, configuration] of [
    ["plan", volume("db")],
    ["apply", volume("db") + volume("another")],
    ["destroy", volume("db")],
  ] as const) {
    scenario.write(configuration);
    const { exitCode, diagnostics } = await outcomeOf(terraform, command);
    const shown = diagnostics.map(({ summary, detail }) => `${summary}: ${detail}`).join("\n");
    expect(exitCode, shown).toBe(1);
    expect(shown).toMatch(words);
    expect(shown).toContain('host "san1"');
    expect(shown).not.toMatch(/This is a bug|undefined|\[object/);
  }
  expect(await terraform.state()).toEqual(before.state);
  expect(storage.listing()).toEqual(before.storage);
}

describeEngines((engine) => {
  /** A scenario with a volume in state. */
  async function held(): Promise<Scenario> {
    const scenario = site.scenario(engine);
    scenario.write(volume("db"));
    await scenario.terraform.applied();
    await scenario.terraform.expectNoChanges();
    await scenario.storage.acknowledged();
    return scenario;
  }

  describe("a host cannot be used", () => {
    test("that refuses connections", async () => {
      const scenario = await held();
      reach(scenario, { port: await freePort() });
      await expectUnusable(scenario, /connection was refused.*Check the address, the port/);
    });

    test("that never answers", async () => {
      const hole = createServer(() => undefined);
      await new Promise<void>((resolve) => hole.listen({ host: "127.0.0.1", port: 0 }, resolve));
      onTestFinished(() => void hole.close());
      const bound = hole.address();
      const scenario = await held();
      reach(scenario, { port: typeof bound === "object" ? bound?.port : 0, dial_timeout: 1 });
      await expectUnusable(scenario, /no connection was made within 1000 ms/);
    });

    test("that has no such name", async () => {
      const scenario = await held();
      reach(scenario, { address: "no-such-host.invalid" });
      await expectUnusable(scenario, /no-such-host\.invalid/);
    });

    test("that rejects the login", async () => {
      const server = await startFaultySshServer({ login: "reject" });
      onTestFinished(() => server.stop());
      const scenario = await held();
      reach(scenario, { port: server.port, host_key: server.hostKey });
      await expectUnusable(scenario, /login|authentication/i);
      expect(server.commands).toEqual([]);
    });

    test("that shows another key; both are shown, and nothing is sent", async () => {
      const server = await startFaultySshServer();
      onTestFinished(() => server.stop());
      const scenario = await held();
      reach(scenario, { port: server.port });
      await expectUnusable(
        scenario,
        /the server shows .*SHA256:[\w+/]{43}.*, but .*SHA256:[\w+/]{43}.* is pinned/,
      );
      expect(server.commands).toEqual([]);
    });

    test.each(["refuse", "cut", "close-channel", "garbage"] as const)(
      "that answers commands with: %s",
      async (command) => {
        const server = await startFaultySshServer({ command });
        const scenario = await held();
        reach(scenario, { port: server.port, host_key: server.hostKey });
        await expectUnusable(scenario, /./);
        await server.stop();
      },
    );

    test("whose key file cannot be read", async () => {
      const scenario = await held();
      const file = join(scenario.terraform.directory, "key");
      writeFileSync(file, "not a key");
      reach(scenario, { private_key_file: file });
      await expectUnusable(scenario, /key/);
    });
  });

  test("a connection that is cut at any point leaves no volume behind that state does not know", async () => {
    const proxy = await startFaultyProxy(site.host.ssh);
    onTestFinished(() => proxy.stop());
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    reach(scenario, { port: proxy.port });
    scenario.write(volume("db"));
    let failures = 0;
    for (let bytes = 2_000; ; bytes += 150) {
      await proxy.setFault({ kind: "cut-after", bytes });
      const { exitCode, diagnostics } = await outcomeOf(terraform, "apply");
      const shown = diagnostics.map(({ summary, detail }) => `${summary}: ${detail}`).join("\n");
      expect(shown).not.toMatch(/This is a bug|undefined|\[object/);
      if (exitCode === 0) break;
      failures += 1;
      expect(storage.objects().length, shown).toBeLessThanOrEqual(1);
    }
    expect(failures).toBeGreaterThan(0);
    await proxy.setFault({ kind: "none" });
    await terraform.expectNoChanges();
    expect(await terraform.state()).toMatchObject([{ values: { id: `demo/${storage.object("db").id}` } }]);
    await terraform.destroyed();
    expect(storage.leftBehind()).toEqual([]);
  });

  test("another machine at the address, with the same keys: nothing is made anew", async () => {
    const [one, two] = [tempDirectory(), tempDirectory()];
    execFileSync("mkdir", ["-p", join(one, "v"), join(two, "v")]);
    const first = await StorageHost.start({ directory: one });
    onTestFinished(() => first.stop());
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const settings = (host: StorageHost, directory: string) => ({
      hosts: { san1: host.settings },
      backends: { demo: { host: "san1", file: { directory } } },
    });
    // One path as seen by both machines.
    const path = join(storage.path, "mounted");
    symlinkSync(join(one, "v"), path);
    scenario.configure(settings(first, path));
    scenario.write(volume("db"));
    await terraform.applied();
    const state = await terraform.state();
    execFileSync("sh", ["-c", 'rm "$1" && ln -s "$2" "$1"', "sh", path, join(two, "v")]);
    for (const configuration of [volume("db"), volume("db") + volume("another")]) {
      scenario.write(configuration);
      expect(await outcomeOf(terraform, "apply")).toMatchObject({ exitCode: 1 });
    }
    expect(await terraform.state()).toEqual(state);
    expect(execFileSync("ls", ["-A", join(two, "v")]).toString()).toBe("");
  });

  test.skipIf(!canMount)(
    `without qemu-img, a backend of qcow2 says so, and one of raw files goes on${leftOut}`,
    async () => {
      const bare = await startHostWithout("qemu-img");
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      const raw = site.host.newDirectory();
      scenario.configure({
        hosts: { san1: bare },
        backends: {
          demo: { host: "san1", file: { directory: storage.path, format: "qcow2" } },
          plain: { host: "san1", file: { directory: raw.path } },
        },
      });
      scenario.write(volume("db") + volume("plain").replace('"demo"', '"plain"'));
      const { exitCode, diagnostics } = await outcomeOf(terraform, "apply");
      expect(exitCode).toBe(1);
      expect(diagnostics.map(({ detail }) => detail).join()).toContain("qemu-img is not installed");
      expect(storage.leftBehind()).toEqual([]);
      // What depends on nothing but the other backend is not held up.
      scenario.write(volume("plain").replace('"demo"', '"plain"'));
      await terraform.applied();
      expect(raw.names()).toEqual(["plain"]);
      scenario.write(`${volume("plain").replace('"demo"', '"plain"')}data "breezeblock_backends" "all" {}\n`);
      await terraform.applied();
      const [data] = (await terraform.state()).filter(({ type }) => type === "breezeblock_backends");
      expect(data?.values["backends"]).toMatchObject({
        demo: { usable: false, problem: expect.stringContaining("qemu-img is not installed") },
        plain: { usable: true, problem: null },
      });
    },
  );

  test.skipIf(!canMount)(
    `a full disk is told in the tool's words, and leaves nothing half-made${leftOut}`,
    async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", storage.path]);
      onTestFinished(() => void execFileSync("umount", ["-l", storage.path]));
      scenario.configure({
        backends: { demo: { ...scenario.backend(), max_over_subscription_ratio: "1000" } },
      });
      scenario.write(volume("thin"));
      await terraform.applied();
      const image = join(tempDirectory(), "disk.raw");
      writeFileSync(image, Buffer.alloc(24 * 2 ** 20, "content"));
      const source = `source = { image = { local_path = "${image}", format = "raw" } }`;
      scenario.write(volume("thin") + volume("filled", source));
      const before = storage.names();
      const { exitCode, diagnostics } = await outcomeOf(terraform, "apply");
      expect(exitCode).toBe(1);
      expect(diagnostics.map(({ detail }) => detail).join()).toMatch(/No space left on device/);
      expect(storage.names()).toEqual(before);
      expect(storage.leftBehind()).toHaveLength(2);
      expect(await terraform.state()).toHaveLength(1);
      scenario.write(volume("thin"));
      await terraform.expectNoChanges();
    },
  );

  test("a directory that the host's user may not write is told before anything else", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const inside = join(storage.path, "file");
    writeFileSync(inside, "");
    scenario.configure({ backends: { demo: { host: "san1", file: { directory: inside } } } });
    scenario.write(volume("db"));
    expect(await outcomeOf(terraform, "apply")).toMatchObject({
      exitCode: 1,
      diagnostics: [{ detail: expect.stringContaining("is not a directory") }],
    });
  });
}, firstEngine());

/** A host of its own that does not have `tool`. Gives an entry of `hosts`. */
async function startHostWithout(tool: string): Promise<Readonly<Record<string, unknown>>> {
  const script =
    'for f in /usr/bin/$1 /usr/local/bin/$1; do [ ! -e $f ] || mount --bind /dev/null $f; done; shift; exec "$@"';
  const host = [process.execPath, repositoryFile("src/cli/main.ts"), "host", "--json", "--directory"];
  const child = spawn("unshare", ["-m", "sh", "-c", script, "sh", tool, ...host, tempDirectory()], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return JSON.parse(line) as Record<string, unknown>;
}
