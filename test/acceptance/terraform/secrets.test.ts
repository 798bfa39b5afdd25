import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { findCommand } from "../../support/commands.ts";
import { startFaultySshServer } from "../../support/faulty-ssh-server.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { resultOf } from "../../support/terraform.ts";
import { describeEngines, type Scenario, useExecutable, useSite } from "./scenario.ts";

const site = useSite();
const executable = useExecutable();

const keygen = findCommand("ssh-keygen");
const hasSudo = findCommand("sudo") !== undefined;

const volume =
  'resource "breezeblock_volume" "db" {\n  name = "db"\n  size = 1\n  backend = "demo"\n}\nresource "breezeblock_snapshot" "s" {\n  name = "s"\n  volume_id = breezeblock_volume.db.id\n}\n';

/** The user's key of the site's host, opened by `passphrase`. */
function protectedKey(passphrase: string): string {
  const file = join(tempDirectory(), "key");
  copyFileSync(site.host.ssh.privateKeyFile, file);
  execFileSync(keygen ?? "ssh-keygen", ["-q", "-p", "-N", passphrase, "-f", file], { stdio: "ignore" });
  return readFileSync(file, "utf8");
}

/** What may be nowhere: the secrets themselves, and any line of the key. */
function traces(secrets: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(secrets).flatMap((secret) =>
    secret.split("\n").filter((line) => line !== "" && !line.startsWith("-----")),
  );
}

/** Command lines of everything that runs, and the environments of what the storage host runs. */
function processes(): string {
  const texts: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      texts.push(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      if (environment.includes("BREEZEBLOCK_STARTED_BY=")) texts.push(environment);
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return texts.join("\n");
}

describeEngines((engine) => {
  function configured(
    secrets: Readonly<Record<string, string>>,
    host: Readonly<Record<string, unknown>>,
  ): Scenario {
    const names = Object.keys(secrets);
    const environment = Object.fromEntries(names.map((name) => [`TF_VAR_${name}`, secrets[name] ?? ""]));
    const scenario = site.scenario(engine, {
      source: executable(),
      environment: { ...environment, TF_LOG: "trace", TF_LOG_PATH: "trace.log" },
    });
    scenario.terraform.write(
      names.map((name) => `variable "${name}" {\n  sensitive = true\n  ephemeral = true\n}\n`).join(""),
      "variables.tf",
    );
    const { private_key_file: _file, ...reach } = site.host.settings;
    const written = Object.fromEntries(names.map((name) => [name, `\${var.${name}}`]));
    scenario.configure({ hosts: { san1: { ...reach, dial_attempts: 1, ...written, ...host } } });
    return scenario;
  }

  test.skipIf(keygen === undefined)(
    `stand in no state, plan, log, output or process list${keygen === undefined ? ", left out: there is no ssh-keygen" : ""}`,
    async () => {
      const passphrase = "pa55phrase-of-the-key";
      const secrets = {
        private_key: protectedKey(passphrase),
        private_key_passphrase: passphrase,
        password: "pa55word-of-the-user",
        ...(hasSudo && { become_password: "pa55word-of-root" }),
      };
      const scenario = configured(secrets, hasSudo ? { become: "sudo" } : {});
      const { terraform, storage } = scenario;
      scenario.write(volume);
      const outputs: string[] = [];
      for (const args of [
        ["plan", "-no-color", "-out=saved.plan"],
        ["show", "-json", "saved.plan"],
        ["apply", "-no-color", "-auto-approve"],
        ["plan", "-no-color", "-json"],
        ["show", "-json"],
      ]) {
        const running = resultOf(terraform.start(args));
        let ended = false;
        void running.finally(() => {
          ended = true;
        });
        while (!ended) {
          outputs.push(processes());
          await delay(20);
        }
        const { exitCode, stdout, stderr } = await running;
        expect(exitCode, stderr).toBe(0);
        outputs.push(stdout, stderr);
      }
      for (const file of ["terraform.tfstate", "saved.plan", "trace.log"]) {
        outputs.push(readFileSync(join(terraform.directory, file), "latin1"));
      }
      for (const entry of readdirSync(storage.path, { recursive: true, withFileTypes: true })) {
        if (entry.isFile() && !entry.name.endsWith(".raw")) {
          outputs.push(readFileSync(join(entry.parentPath, entry.name), "latin1"));
        }
      }
      // The sieve holds: what is looked through does have the rest of it.
      expect(outputs.join()).toContain("breezeblock_volume.db");
      for (const secret of traces(secrets)) {
        for (const text of outputs) expect(text.includes(secret), around(text, secret)).toBe(false);
      }
      await terraform.destroyed();
    },
  );

  test.skipIf(keygen === undefined)(
    `stand in no error${keygen === undefined ? ", left out: there is no ssh-keygen" : ""}`,
    async ({ onTestFinished }) => {
      const server = await startFaultySshServer({ login: "reject" });
      onTestFinished(() => server.stop());
      const private_key = protectedKey("right-pa55phrase");
      for (const [secrets, host] of [
        [{ private_key, private_key_passphrase: "wrong-pa55phrase" }, {}],
        [
          {
            private_key:
              "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----\n",
          },
          {},
        ],
        [{ password: "wrong-pa55word" }, { port: server.port, host_key: server.hostKey }],
      ] as const) {
        const scenario = configured(secrets, host);
        scenario.write(volume);
        const { exitCode, stdout, stderr } = await scenario.terraform.apply();
        expect(exitCode).toBe(1);
        const log = readFileSync(join(scenario.terraform.directory, "trace.log"), "utf8");
        for (const secret of traces(secrets)) {
          for (const text of [stdout, stderr, log])
            expect(text.includes(secret), around(text, secret)).toBe(false);
        }
      }
    },
  );

  test("stand in a file of settings that only its reader sees", async () => {
    const scenario = site.scenario(engine);
    const { terraform } = scenario;
    const file = join(terraform.directory, "settings.yaml");
    writeFileSync(
      file,
      JSON.stringify({ hosts: { san1: { ...site.host.settings, password: "pa55word-in-a-file" } } }),
    );
    scenario.configure({ config_file: file, hosts: null });
    scenario.write(volume);
    await terraform.applied();
    const plan = await terraform.run(["plan", "-no-color", "-out=saved.plan"]);
    const shown = await terraform.run(["show", "-json", "saved.plan"]);
    const state = readFileSync(join(terraform.directory, "terraform.tfstate"), "utf8");
    for (const text of [plan.text, shown.stdout, state]) expect(text).not.toContain("pa55word");
  });
});

function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return at === -1 ? "" : text.slice(Math.max(0, at - 300), at + secret.length + 100);
}
