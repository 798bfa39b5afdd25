import { renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { outcomeOf, type ShownDiagnostic } from "./diagnostics.ts";
import { describeEngines, type Scenario, useSite } from "./scenario.ts";

const site = useSite();

/** A configuration that must be refused at plan: one error at the line `at` with `detail`, and nothing done. */
async function expectRefused(
  scenario: Scenario,
  expected: { readonly at?: string | RegExp; readonly text: RegExp },
  command: "plan" | "apply" = "plan",
): Promise<readonly ShownDiagnostic[]> {
  const { terraform, storage } = scenario;
  const before = { storage: storage.listing(), state: await terraform.state() };
  const { exitCode, diagnostics } = await outcomeOf(terraform, command);
  const shown = diagnostics.map(({ at, summary, detail }) => `${at}\n${summary}: ${detail}`).join("\n");
  expect(exitCode, shown).toBe(1);
  expect(shown).toMatch(expected.text);
  expect(shown, "points to no bug of ours").not.toMatch(/This is a bug|Internal error|undefined|\[object/);
  if (expected.at !== undefined) {
    expect(diagnostics.map(({ at }) => at)).toContainEqual(
      typeof expected.at === "string" ? expected.at : expect.stringMatching(expected.at),
    );
  }
  expect(storage.listing()).toEqual(before.storage);
  expect(await terraform.state()).toEqual(before.state);
  return diagnostics;
}

const volume = (name: string, more = "", label = name) =>
  `resource "breezeblock_volume" "${label}" {\n  name = "${name}"\n  size = 1\n  backend = "demo"\n  ${more}\n}\n`;

describeEngines((engine) => {
  describe("a volume is refused", () => {
    const long = "x".repeat(300);
    const name = /A name must begin with a letter or digit/;
    test.each<readonly [string, Readonly<Record<string, string | null>>, RegExp, RegExp]>([
      [
        "on an unknown backend",
        { backend: '"slow"' },
        /^backend = "slow"$/,
        /has no backend of that name; it has "demo"/,
      ],
      ["of size 0", { size: "0" }, /^size = 0$/, /between 1 and 4194304 GiB/],
      ["of negative size", { size: "-1" }, /^size = -1$/, /between 1 and 4194304 GiB/],
      ["of fractional size", { size: "1.5" }, /^size = 1.5$/, /whole/],
      ["of size 2^53", { size: "9007199254740992" }, /^size = /, /between 1 and 4194304|largest|too large/],
      [
        "of size 2^64",
        { size: "18446744073709551616" },
        /^size = /,
        /between 1 and 4194304|largest|too large/,
      ],
      ["of a size that is text", { size: '"big"' }, /^size = "big"$/, /number/],
      ["without size and source", { size: null }, /^resource/, /needs a size in GiB, unless a source/],
      ["with a name of 300 characters", { name: `"${long}"` }, /^name = /, name],
      ["with a newline in its name", { name: '"a\\nb"' }, /^name = /, name],
      ["with a command in its name", { name: '"$(reboot)"' }, /^name = /, name],
      ["with a path as its name", { name: '"../x"' }, /^name = /, name],
      ["with an emoji in its name", { name: '"db💾"' }, /^name = /, name],
      ["with no characters in its name", { name: '""' }, /^name = /, name],
      [
        "with a UUID as its name",
        { name: '"6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11"' },
        /^name = /,
        /must not be a UUID/,
      ],
      [
        "with name and name_prefix",
        { name_prefix: '"db-"' },
        /^name_prefix = /,
        /either name or name_prefix/,
      ],
      ["without any name", { name: null }, /^resource/, /needs a name or a name_prefix/],
      [
        "with an empty source",
        { source: "{}" },
        /^source = \{\}$/,
        /needs a snapshot_id, a volume_id or an image/,
      ],
      [
        "with a source that is no id",
        { source: '{ volume_id = "db" }' },
        /^source = /,
        /has the form "<backend>\/<uuid>"/,
      ],
      [
        "with a source that is not there",
        { source: '{ snapshot_id = "demo/00000000-0000-4000-8000-000000000000" }' },
        /^source = /,
        /no such snapshot/,
      ],
      ["of unknown provisioning", { provisioning: '"fat"' }, /^provisioning = /, /thin.*thick/],
      [
        "with an endless timeout",
        { timeouts: '{ create = "soon" }' },
        /create = "soon"|^timeouts/,
        /duration such as/,
      ],
      ["with an id", { id: '"demo/x"' }, /^id = /, /./],
      ["with a label that is null", { labels: "{ a = null }" }, /^labels = /, /null/],
    ])("%s", async (_what, changes, at, text) => {
      const scenario = site.scenario(engine);
      const attributes = { name: '"db"', size: "1", backend: '"demo"', ...changes };
      const lines = Object.entries(attributes).flatMap(([key, value]) =>
        value === null ? [] : [`  ${key} = ${value}\n`],
      );
      scenario.write(`resource "breezeblock_volume" "db" {\n${lines.join("")}}\n`);
      await expectRefused(scenario, { at, text }, "apply");
    });
  });

  test("a volume in an unknown pool is refused at apply", async () => {
    const { terraform, storage } = site.scenario(engine);
    terraform.write(volume("db").replace('"demo"', '"demo#fast"'));
    expect(await outcomeOf(terraform, "apply")).toMatchObject({
      exitCode: 1,
      diagnostics: [
        { detail: expect.stringContaining('no pool "fast", only "default"'), at: 'backend = "demo#fast"' },
      ],
    });
    expect(storage.leftBehind()).toEqual([]);
    expect(await terraform.state()).toEqual([]);
  });

  describe("an attachment is refused", () => {
    test.each([
      [
        "with host and connector",
        'host = "san1"\n  connector = { host = "web1" }',
        /exactly one of host, connection and connector, not host and connector/,
      ],
      ["with neither", "", /needs a host, a connection or a connector/],
      ["at an unknown host", 'host = "san9"', /has no host of that name; it has "san1"/],
      ["without what the protocol needs", 'connector = { ip = "10.0.0.1" }', /host/],
      ["in an unknown mode", 'host = "san1"\n  mode = "wr"', /"rw".*"ro"|rw, ro/],
    ])("%s", async (_what, more, text) => {
      const scenario = site.scenario(engine);
      scenario.write(volume("db"));
      await scenario.terraform.applied();
      await scenario.terraform.expectNoChanges();
      scenario.write(
        `${volume("db")}resource "breezeblock_attachment" "a" {\n  volume_id = breezeblock_volume.db.id\n  ${more}\n}\n`,
      );
      // The refresh before may still be writing down that the volume is in state.
      await scenario.storage.acknowledged();
      await expectRefused(scenario, { text }, "apply");
    });
  });

  describe("the provider block is refused", () => {
    const host = (more: object = {}) => ({ ...site.host.settings, ...more });
    test.each<readonly [string, (scenario: Scenario) => Readonly<Record<string, unknown>>, RegExp]>([
      [
        "with a backend of no technology",
        () => ({ backends: { demo: { host: "san1" } } }),
        /Backend "demo" needs exactly one technology.*none is given/,
      ],
      [
        "with a backend on an unknown host",
        (scenario) => ({ backends: { demo: scenario.backend(undefined, { host: "san9" }) } }),
        /Unknown host of backend "demo".*no "san9" in hosts; there are: "san1"/,
      ],
      [
        "with a backend in a relative directory",
        () => ({ backends: { demo: { host: "san1", file: { directory: "volumes" } } } }),
        /must be an absolute path on the host, not "volumes"/,
      ],
      [
        "with a backend whose name no id could hold",
        (scenario) => ({ backends: { "a/b": scenario.backend() } }),
        /"a\/b" is not a valid name/,
      ],
      [
        "with two backends of one name",
        (scenario) => ({
          backends: { demo: scenario.backend(), other: scenario.backend(undefined, { aliases: ["demo"] }) },
        }),
        /Ambiguous alias of backend "other".*"demo" names another backend too/,
      ],
      [
        "with a loop of jump hosts",
        () => ({ hosts: { san1: host({ jump_host: "b" }), b: host({ jump_host: "san1" }) } }),
        /Circular jump_host of host "san1".*leads through "san1" again/,
      ],
      [
        "with an unknown jump host",
        () => ({ hosts: { san1: host({ jump_host: "b" }) } }),
        /Unknown jump_host of host "san1".*no "b" in hosts/,
      ],
      [
        "with two ways of checking a host's key",
        () => ({ hosts: { san1: host({ insecure_accept_any_host_key: true }) } }),
        /Conflicting host key settings of host "san1"/,
      ],
      [
        "with a host key that is none",
        () => ({ hosts: { san1: host({ host_key: "nonsense" }) } }),
        /nonsense|host key/,
      ],
      [
        "with a key file that is not there",
        () => ({ hosts: { san1: host({ private_key_file: "/nonexistent/key" }) } }),
        /\/nonexistent\/key/,
      ],
      [
        "with a port that is none",
        () => ({ hosts: { san1: host({ port: 70_000 }) } }),
        /between 1 and 65535; 70000/,
      ],
    ])("%s", async (_what, settings, text) => {
      const scenario = site.scenario(engine);
      scenario.configure(settings(scenario));
      scenario.write(volume("db"));
      await expectRefused(scenario, { text }, "apply");
    });
  });

  describe("a configuration file is refused", () => {
    test.each<readonly [string, string | null, RegExp]>([
      ["that is not there", null, /no such file.*settings\.yaml/],
      ["that is not YAML", "hosts: [\n  san1: {", /settings\.yaml is not YAML: .* at line \d/],
      [
        "that is a list",
        "- a\n- b\n",
        /In .*settings\.yaml: .*must be a mapping of names to values, not a list/,
      ],
      [
        "with unknown settings",
        "hosts:\n  san1:\n    adress: here\n",
        /Unknown setting hosts\.san1\.adress.*there are: address,/,
      ],
      [
        "with values of a wrong kind",
        "hosts:\n  san1:\n    address: x\n    user: y\n    port: many\n",
        /"hosts\.san1\.port" must be a whole number, not string/,
      ],
      ["that names a second one", "config_file: other.yaml\n", /Unknown setting config_file/],
    ])("%s", async (_what, text, expected) => {
      const scenario = site.scenario(engine);
      const file = join(scenario.terraform.directory, "settings.yaml");
      scenario.configure({ config_file: file });
      if (text !== null) scenario.terraform.write(text, "settings.yaml");
      scenario.write(volume("db"));
      await expectRefused(scenario, { text: expected }, "apply");
    });

    test("but a good one is taken, and the provider block goes before it", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      terraform.write(
        JSON.stringify({
          owner: "from/file",
          hosts: { san1: site.host.settings },
          backends: { demo: scenario.backend() },
          default_labels: { from: "file" },
        }),
        "settings.yaml",
      );
      terraform.write(
        `provider "breezeblock" {\n  config_file = "${terraform.directory}/settings.yaml"\n  owner = "from/block"\n}\n`,
        "provider.tf",
      );
      terraform.write("{}", "provider.tf.json");
      scenario.write(volume("db"));
      await terraform.applied();
      await terraform.expectNoChanges();
      expect(storage.object("db")).toMatchObject({ owner: "from/block", defaultLabels: { from: "file" } });
    });
  });

  describe("deleting is refused", () => {
    test("of a volume that another configuration took snapshots of or attached", async () => {
      const ours = site.scenario(engine, { owner: "acme/ours" });
      const { terraform, storage } = ours;
      ours.write(volume("db"));
      await terraform.applied();
      const { id } = storage.object("db");
      // The same owner: another owner's configuration could not use the volume at all.
      const theirs = site.scenario(engine, { storage, owner: "acme/ours" });
      const user = {
        snapshot: `resource "breezeblock_snapshot" "s" {\n  name = "s"\n  volume_id = "demo/${id}"\n}\n`,
        attachment: `resource "breezeblock_attachment" "a" {\n  volume_id = "demo/${id}"\n  connector = { host = "web1" }\n}\n`,
      };
      for (const [kind, text] of Object.entries(user)) {
        theirs.write(text);
        await theirs.terraform.applied();
        await terraform.expectNoChanges();
        await expect.poll(() => storage.object("db").phase).toBe("acknowledged");
        const before = storage.listing();
        const { exitCode, diagnostics } = await outcomeOf(terraform, "destroy");
        expect(exitCode).toBe(1);
        expect(diagnostics).toMatchObject([
          {
            summary: 'Unable to delete volume "db"',
            detail: expect.stringMatching(
              kind === "snapshot" ? /has the snapshot "s" \(/ : /attached to "web1" \(attachment /,
            ),
          },
        ]);
        expect(storage.listing()).toEqual(before);
        expect(await terraform.state()).toHaveLength(1);
        await theirs.terraform.destroyed();
      }
      const foreign = site.scenario(engine, { storage, owner: "acme/theirs" });
      foreign.write(user.snapshot);
      await expectRefused(foreign, { text: /belongs to owner "acme\/ours"/ }, "apply");
      await terraform.destroyed();
      expect(storage.leftBehind()).toEqual([]);
    });

    test("of what is protected, at plan and on the host", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      const guarded = (isProtected: boolean) =>
        `${volume("db", `deletion_protection = ${isProtected}`)}resource "breezeblock_snapshot" "s" {\n  name = "s"\n  volume_id = breezeblock_volume.db.id\n  deletion_protection = ${isProtected}\n}\n`;
      scenario.write(guarded(true));
      await terraform.applied();
      await terraform.expectNoChanges();
      await storage.acknowledged();
      const before = storage.listing();
      const commands = [
        ["plan", "-destroy"],
        ["apply", "-replace=breezeblock_snapshot.s"],
      ] as const;
      for (const [command, argument] of commands) {
        const { exitCode, diagnostics } = await outcomeOf(terraform, command, argument);
        expect(exitCode).toBe(1);
        expect(diagnostics.map(({ detail }) => detail).join()).toContain("Set deletion_protection = false");
      }
      // A state that was edited says nothing about the host.
      const edited = terraform.read("terraform.tfstate");
      terraform.write(
        edited.replaceAll('"deletion_protection": true', '"deletion_protection": false'),
        "terraform.tfstate",
      );
      const { exitCode, diagnostics } = await outcomeOf(terraform, "destroy", "-refresh=false");
      expect(exitCode).toBe(1);
      expect(diagnostics).toMatchObject([
        { detail: expect.stringContaining("It is protected against deletion") },
      ]);
      expect(storage.listing()).toEqual(before);
      scenario.write(guarded(false));
      await terraform.applied();
      await terraform.destroyed();
      expect(storage.leftBehind()).toEqual([]);
    });
  });

  describe("nothing is made anew, nor forgotten,", () => {
    /** A volume in state, and what was wrong with its directory is put right again. */
    async function afterwards(scenario: Scenario, data: string): Promise<void> {
      scenario.write(volume("db"));
      await scenario.terraform.expectNoChanges();
      expect(scenario.storage.readData(scenario.storage.object("db"), 4)).toBe(data);
    }

    async function expectNothingDone(scenario: Scenario, text: RegExp): Promise<void> {
      const { terraform } = scenario;
      const before = await terraform.state();
      for (const configuration of [volume("db"), volume("db") + volume("another")]) {
        scenario.write(configuration);
        for (const more of [[], ["-refresh=false"]]) {
          // Without a refresh there is nothing to do about what state says is there.
          if (more.length > 0 && configuration === volume("db")) continue;
          const { exitCode, diagnostics } = await outcomeOf(terraform, "apply", ...more);
          expect(exitCode, more.join()).toBe(1);
          expect(diagnostics.map(({ detail }) => detail).join("\n")).toMatch(text);
        }
      }
      const destroyed = await outcomeOf(terraform, "destroy", "-refresh=false");
      expect(destroyed.exitCode).toBe(1);
      expect(await terraform.state()).toEqual(before);
    }

    async function held(): Promise<Scenario> {
      const scenario = site.scenario(engine);
      scenario.write(volume("db"));
      await scenario.terraform.applied();
      scenario.storage.writeData(scenario.storage.object("db"), "data");
      return scenario;
    }

    test("and what is protected is not replaced", async () => {
      const scenario = site.scenario(engine);
      const { terraform } = scenario;
      const sources = volume("a") + volume("b");
      const from = (source: string) =>
        `${sources}${volume("db", `on_source_change = "replace"\n  deletion_protection = true\n  source = { volume_id = breezeblock_volume.${source}.id }`)}`;
      scenario.write(from("a"));
      await terraform.applied();
      await terraform.expectNoChanges();
      await scenario.storage.acknowledged();
      scenario.write(from("b"));
      await expectRefused(scenario, { at: "deletion_protection = true", text: /protected against deletion/ });
    });

    test("while the directory is not there", async () => {
      const scenario = await held();
      const { storage } = scenario;
      renameSync(storage.path, `${storage.path}.away`);
      await expectNothingDone(scenario, /does not exist or cannot be reached/);
      renameSync(`${storage.path}.away`, storage.path);
      await afterwards(scenario, "data");
    });

    test("while an empty directory stands in its place", async () => {
      const scenario = await held();
      const { storage } = scenario;
      renameSync(storage.path, `${storage.path}.away`);
      const empty = site.host.newDirectory();
      renameSync(empty.path, storage.path);
      await expectNothingDone(
        scenario,
        /has no breezeblock identity.*not mounted, was emptied, or is another/,
      );
      expect(storage.leftBehind()).toEqual([]);
      expect(storage.listing()).toEqual([]);
      renameSync(storage.path, empty.path);
      renameSync(`${storage.path}.away`, storage.path);
      await afterwards(scenario, "data");
    });

    test("while another directory of volumes stands in its place", async () => {
      const [scenario, other] = [await held(), await held()];
      const { storage } = scenario;
      renameSync(storage.path, `${storage.path}.away`);
      renameSync(other.storage.path, storage.path);
      const before = storage.listing();
      await expectNothingDone(
        scenario,
        /has the identity .* but the state was made with .*it is another one/,
      );
      expect(storage.listing()).toEqual(before);
      renameSync(storage.path, other.storage.path);
      renameSync(`${storage.path}.away`, storage.path);
      await afterwards(scenario, "data");
    });
  });
});
