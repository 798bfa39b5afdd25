import { beforeAll, expect, test } from "vitest";
import { expectSuccess } from "../../support/pulumi.ts";
import { describePulumi, errorsIn, Scenario, useHost, useScenario } from "./scenario.ts";

describePulumi("a resource is refused in the preview, at the property that is wrong,", () => {
  const scenario = useScenario();
  const name = /A name must begin with a letter or digit/;
  const size = /must be between 1 and 4194304 GiB/;

  /** Pulumi stops at the first refusal: a preview each. */
  async function expectRefused(program: string, property: string, reason: RegExp): Promise<void> {
    const { workspace, storage } = scenario();
    workspace.program(program);
    const refused = await workspace.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toContain(`property ${property} value `);
    expect(errorsIn(refused)).toMatch(reason);
    expect(errorsIn(refused)).not.toMatch(/This is a bug|Internal error|undefined:|\[object|at .*\.cjs/);
    expect(storage.leftBehind()).toEqual([]);
  }

  test.each<readonly [string, Readonly<Record<string, unknown>>, string, RegExp]>([
    ["on an unknown backend", { backend: "slow" }, "backend", /has no backend of that name; it has "demo"/],
    ["of size 0", { size: 0 }, "size", size],
    ["of negative size", { size: -1 }, "size", size],
    ["of fractional size", { size: 1.5 }, "size", /must be a whole number/],
    ["of size 2^53", { size: 2 ** 53 }, "size", /between 1 and 4194304|largest|too large|whole number/],
    ["of a size that is text", { size: "big" }, "size", /must be a whole number/],
    ["with a name of 300 characters", { name: "x".repeat(300) }, "name", name],
    ["with a newline in its name", { name: "a\nb" }, "name", name],
    ["with a command in its name", { name: "$(reboot)" }, "name", name],
    ["with a path as its name", { name: "../x" }, "name", name],
    ["with an emoji in its name", { name: "db💾" }, "name", name],
    ["with name and namePrefix", { namePrefix: "db-" }, "namePrefix", /either name or namePrefix/],
    [
      "with a source that is not there",
      { source: { snapshotId: "demo/00000000-0000-4000-8000-000000000000" } },
      "source.snapshotId",
      /no such snapshot/,
    ],
    ["with a misspelt property", { lables: { a: "b" } }, "lables", /there are: .*labels/],
    ["with an output as input", { sizeBytes: 1 }, "sizeBytes", /is set by the provider/],
  ])("a volume %s", (_what, changes, property, reason) => {
    const args = { name: "db", backend: "demo", size: 1, ...changes };
    return expectRefused(
      `new breezeblock.Volume("db", ${JSON.stringify(args)} as breezeblock.VolumeArgs);`,
      property,
      reason,
    );
  });

  test("an attachment with host and connector", () =>
    expectRefused(
      `const db = new breezeblock.Volume("db", { name: "db", backend: "demo", size: 1 });
      new breezeblock.Attachment("a", { volumeId: db.id, host: "lab", connector: { host: "x" } });`,
      "connector",
      /exactly one of host, connection and connector, not host and connector/,
    ));
});

describePulumi("a configuration is refused, at the setting that is wrong:", () => {
  const scenario = useScenario();
  const file = { file: { directory: "/srv/volumes" } };

  beforeAll(async () => {
    const { workspace } = scenario();
    workspace.program('new breezeblock.Volume("db", { name: "db", backend: "demo", size: 1 });');
  });

  /** Fails unless the preview ends with `reason`, said once, and nothing was made. */
  async function expectRefused(settings: Readonly<Record<string, unknown>>, reason: RegExp): Promise<void> {
    const { workspace, storage } = scenario();
    scenario().configure(settings);
    const refused = await workspace.preview();
    // What one case sets must not be there in the next.
    scenario().configure(Object.fromEntries(Object.keys(settings).map((name) => [name, null])));
    expect(refused.exitCode, refused.text).not.toBe(0);
    expect(errorsIn(refused)).toMatch(reason);
    expect(errorsIn(refused)).not.toMatch(/This is a bug|Internal error|\[object|at .*\.cjs/);
    expect(storage.leftBehind()).toEqual([]);
  }

  test.each<readonly [string, (at: Scenario) => Readonly<Record<string, unknown>>, RegExp]>([
    [
      "a backend of no technology",
      () => ({ backends: { demo: { host: "lab" } } }),
      /backends\.demo: Backend "demo" needs exactly one technology: .*none is given/,
    ],
    [
      "a backend of two technologies",
      () => ({ backends: { demo: { host: "lab", ...file, lvm: { volumeGroup: "vg0" } } } }),
      /backends\.demo\.lvm: |needs exactly one technology/,
    ],
    [
      "a backend on an unknown host",
      () => ({ backends: { demo: { host: "san9", ...file } } }),
      /backends\.demo\.host: .*no "san9" in hosts; there are: "lab"/,
    ],
    [
      "a host key that is another's",
      (at) => ({
        hosts: {
          lab: at.host({ hostKey: `SHA256:${"A".repeat(43)}` }),
        },
      }),
      /shows the ssh-ed25519 key SHA256:.*, but SHA256:A{43} is pinned.*`hostKey`/,
    ],
    [
      "a login that the host rejects",
      (at) => ({ hosts: { lab: at.host({ user: "nobody-here" }) } }),
      /Unable to .*(log in|login|authenticat)/i,
    ],
    [
      "a key file that is not there",
      (at) => ({ hosts: { lab: at.host({ privateKeyFile: "/nonexistent/key" }) } }),
      /\/nonexistent\/key/,
    ],
    ["hosts that are no object", () => ({ hosts: "lab" }), /hosts: .*mapping|"hosts" must be/],
    ["a misspelt setting", () => ({ host: {} }), /Unknown setting host: .*there are: .*hosts/],
    [
      "a misspelt setting of a host",
      (at) => ({ hosts: { lab: at.host({ adress: "x" }) } }),
      /hosts\.lab\.adress.*there are: address, .*privateKeyFile/,
    ],
    [
      "one setting in two spellings",
      (at) => ({ hosts: { lab: at.host({ private_key_file: "/x" }) } }),
      /hosts\.lab\.privateKeyFile: .*once, in one spelling/,
    ],
    ["a settings file that is not there", () => ({ configFile: "none.yaml" }), /configFile: .*none\.yaml/],
  ])("%s", (_what, settings, reason) => expectRefused(settings(scenario()), reason));

  test("a settings file that is not YAML", async () => {
    scenario().workspace.write("settings.yaml", "hosts: [\n  lab: {");
    await expectRefused(
      { configFile: "settings.yaml", hosts: null, backends: null },
      /configFile: .*settings\.yaml is not YAML: .* at line \d/,
    );
  });

  test("a good settings file is taken, and what the stack's configuration says goes before it", async () => {
    const { workspace, storage } = scenario();
    const settings = {
      owner: "from/file",
      hosts: { lab: scenario().host() },
      backends: { demo: scenario().backend() },
      default_labels: { from: "file" },
    };
    const inFile = JSON.stringify(settings)
      .replace('"privateKeyFile"', '"private_key_file"')
      .replace('"hostKey"', '"host_key"');
    workspace.write("settings.yaml", inFile);
    scenario().configure({ configFile: "settings.yaml", hosts: null, backends: null, owner: "from/stack" });
    expectSuccess(await workspace.up());
    expect(storage.object("db")).toMatchObject({ owner: "from/stack", defaultLabels: { from: "file" } });
    await scenario().expectNoChanges();
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});

describePulumi("deleting is refused", () => {
  const host = useHost();

  test("of a volume that another stack took a snapshot of or attached, and of what is protected", async () => {
    const owner = "acme/shop";
    const ours = await Scenario.open(host(), { owner });
    const theirs = await Scenario.open(host(), { owner, storage: ours.storage, project: "users" });
    try {
      const { storage, workspace } = ours;
      const program = (isProtected: boolean) =>
        `new breezeblock.Volume("db", { name: "db", backend: "demo", size: 1, deletionProtection: ${isProtected} });`;
      workspace.program(program(false));
      expectSuccess(await workspace.up());
      const { id } = await workspace.resource("db");
      theirs.workspace.program(`
        const s = new breezeblock.Snapshot("s", { name: "s", volumeId: "${id}" });
        new breezeblock.Attachment("a", { volumeId: "${id}", connector: { host: "web1" } }, { dependsOn: s });`);
      expectSuccess(await theirs.workspace.up());
      await ours.expectNoChanges();
      // The refresh may still be writing down that the volume is in state.
      await expect.poll(() => storage.object("db").phase).toBe("acknowledged");

      async function expectRefused(reason: RegExp): Promise<void> {
        const before = storage.listing();
        const refused = await workspace.destroy();
        expect(refused.exitCode).not.toBe(0);
        expect(errorsIn(refused)).toMatch(reason);
        expect(storage.listing()).toEqual(before);
        expect(await workspace.resources()).toHaveLength(1);
      }

      await expectRefused(/Unable to delete volume "db": .*attached to "web1" \(attachment /);
      const { urn } = await theirs.workspace.resource("a");
      expectSuccess(await theirs.workspace.destroy("--target", urn));
      await expectRefused(/Unable to delete volume "db": .*has the snapshot "s" \(/);
      expectSuccess(await theirs.workspace.destroy());

      workspace.program(program(true));
      expectSuccess(await workspace.up());
      await expectRefused(/deletionProtection: Unable to delete volume "db" .*: .*protected/);
      // A state that was edited says nothing about the host.
      const edited = (await workspace.export()).replaceAll(
        '"deletionProtection": true',
        '"deletionProtection": false',
      );
      workspace.write("edited.json", edited);
      expectSuccess(await workspace.run(["stack", "import", "--file", "edited.json"]));
      await expectRefused(/deletionProtection: Unable to delete volume "db": .*protected/);
      workspace.program(program(false));
      expectSuccess(await workspace.up("--refresh"));
      expectSuccess(await workspace.destroy());
      expect(storage.leftBehind()).toEqual([]);
    } finally {
      ours.remove();
      theirs.remove();
    }
  });
});
