import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { expectSuccess, type PulumiResult } from "../../support/pulumi.ts";
import { describePulumi, useScenario } from "./scenario.ts";

/** Everything there is: the engine's own log down to its last level, and ours. */
const loudly = ["-v=9", "--logtostderr"];
const ourLog = { BREEZEBLOCK_LOG: "trace" };

describePulumi("secrets in the stack's configuration", () => {
  const scenario = useScenario();
  const password = `password-${randomBytes(12).toString("hex")}`;
  const passphrase = `passphrase-${randomBytes(12).toString("hex")}`;
  let privateKey: string;
  let needles: readonly string[];
  const seen: PulumiResult[] = [];

  beforeAll(async () => {
    const { workspace } = scenario();
    const { privateKeyFile, ...host } = scenario().host();
    privateKey = readFileSync(String(privateKeyFile), "utf8");
    // A line from the middle of the key stands for all of it: however it is quoted, lines stay whole.
    const lines = privateKey.trim().split("\n");
    needles = [password, passphrase, lines[Math.floor(lines.length / 2)] ?? privateKey];
    scenario().configure({ hosts: { lab: host } });
    await workspace.setSecret("breezeblock:hosts.lab.privateKey", privateKey);
    await workspace.setSecret("breezeblock:hosts.lab.password", password);
    await workspace.setSecret("breezeblock:hosts.lab.privateKeyPassphrase", passphrase);
    workspace.program(`
      const db = new breezeblock.Volume("db", { name: "db", backend: "demo", size: 1 });
      const s = new breezeblock.Snapshot("s", { name: "s", volumeId: db.id });
      new breezeblock.Attachment("a", { volumeId: db.id, host: "lab" }, { dependsOn: s });
      export const found = breezeblock.getVolumeOutput({ id: db.id }).apply(({ name }) => name);`);
  });

  function expectUnseen(text: string, where: string): void {
    for (const needle of needles) expect(text.includes(needle), `${where} holds ${needle}`).toBe(false);
  }

  test("log in, and show in no output", async () => {
    const { workspace, storage } = scenario();
    seen.push(expectSuccess(await workspace.run(["up", "--yes", "--skip-preview"], ourLog)));
    expect(storage.names()).toEqual(["db"]);
    expect(seen[0]?.text).toContain('"message":"command"');
    seen.push(expectSuccess(await workspace.run(["preview", "--refresh", "--diff", "--json"], ourLog)));
    seen.push(expectSuccess(await workspace.run(["refresh", "--yes", "--skip-preview"], ourLog)));
    for (const { text } of seen) expectUnseen(text, "the output");
  });

  test("show in no log line that our provider writes, at any level", async () => {
    const { workspace } = scenario();
    const { text } = expectSuccess(await workspace.run(["preview", "--refresh", ...loudly], ourLog));
    const ours = text.split("\n").filter((line) => line.includes('"level":') && line.includes('"message":'));
    expect(ours.length).toBeGreaterThan(3);
    expectUnseen(ours.join("\n"), "the log");
  });

  test("stand nowhere in the state, nor in what it keeps of the provider", async () => {
    const { workspace } = scenario();
    expectUnseen(await workspace.export(), "stack export");
    const files = readdirSync(join(workspace.directory, ".state"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expectUnseen(readFileSync(file, "utf8"), file);
    for (const { inputs, outputs } of await workspace.resources()) {
      for (const properties of [inputs, outputs]) {
        expect(properties["__provider"]).toMatch(/^exports\.handler=\(\)=>require\("breezeblock\/pulumi"\)/);
        expect(String(properties["__provider"]).length).toBeLessThan(150);
      }
    }
  });

  test("show in no error either, whatever fails", async () => {
    const { workspace } = scenario();
    // Which of them is wrong is said without repeating it.
    await workspace.setSecret("breezeblock:hosts.lab.privateKey", `${needles[2]} is no key`);
    const failed = await workspace.run(["preview", "--refresh"], ourLog);
    expect(failed.exitCode).not.toBe(0);
    expectUnseen(failed.text, "the error");
    await workspace.setSecret("breezeblock:hosts.lab.privateKey", privateKey);
    expectSuccess(await workspace.destroy());
    expect(scenario().storage.leftBehind()).toEqual([]);
  });
});

describePulumi("labels", () => {
  const scenario = useScenario();

  /** Pulumi itself carries text in protocol buffers and JSON: what is no Unicode (lone surrogates, NUL in keys) is not offered. */
  const labels: Readonly<Record<string, string>> = {
    "": "an empty key",
    empty: "",
    "Straße/ключ 🔑": "naïve — 日本語 \u{1F469}\u200D\u{1F4BB}",
    "$(reboot)": "`reboot`; rm -rf / & | > < * ? ~ !",
    "quotes '\"\\": 'it\'s "quoted" \\ back\\\\slashed',
    lines: "one\ntwo\r\nthree\ttabbed\u0001\u001B[31m\u007F",
    separators: "\u2028\u2029\u0085\uFEFF\u200E\uFFFD",
    "e\u0301 and \u00E9": "two spellings of é are two keys",
    "\u00E9 and e\u0301": "as here",
    camelCase: "kept",
    snake_case: "kept",
    __proto: "kept",
    constructor: "kept",
    "04da6b54": "no sentinel",
    long: "x".repeat(4_000),
  };

  test("of any text come back as they were, from host and state", async () => {
    const { workspace, storage } = scenario();
    const text = JSON.stringify(labels);
    workspace.program(`
      const db = new breezeblock.Volume("db", { name: "db", backend: "demo", size: 1, labels: ${text} });
      new breezeblock.Snapshot("s", { name: "s", volumeId: db.id, labels: ${text} });
      export const found = db.labelsAll;`);
    expectSuccess(await workspace.up());
    expect(storage.object("db").labels).toEqual(labels);
    expect(storage.object("s", "snapshot").labels).toEqual(labels);
    expect((await workspace.resource("db")).outputs["labels"]).toEqual(labels);
    expect((await workspace.outputs())["found"]).toEqual(labels);
    await scenario().expectNoChanges();
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});
