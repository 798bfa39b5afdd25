import { execFileSync, spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { arch, platform } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createCertificate } from "../../providers/terraform/handshake/certificate.ts";
import { HealthMethods } from "../../providers/terraform/protocol/generated/health.ts";
import { GrpcClient } from "../../providers/terraform/testing/grpc-client.ts";
import { buildTerraformProvider } from "../../scripts/build-terraform.ts";
import { findCommand } from "../support/commands.ts";
import { findEngine } from "../support/engines.ts";
import { makeTempDirectory, removeDirectory, tempDirectory } from "../support/temp-directory.ts";
import { registryOf, resultOf, TerraformWorkspace, terraformEngines } from "../support/terraform.ts";
import { waitFor } from "../support/wait-for.ts";
import { zip } from "../support/zip.ts";

const version = "1.2.3";
const fileName = `terraform-provider-breezeblock_v${version}`;
let directory = "";
let executable = "";

beforeAll(async () => {
  directory = makeTempDirectory();
  executable = join(directory, fileName);
  await buildTerraformProvider({ entry: "providers/terraform/testing/main.ts", outfile: executable });
});
afterAll(() => removeDirectory(directory));

const thing = (attributes = "") =>
  `resource "breezeblock_thing" "a" {\n  name = "a"\n  size = 1\n${attributes}\n}\n`;
const provider = (path: string, more = "") => `provider "breezeblock" {\n  path = "${path}"\n${more}\n}\n`;

/** The engines' environment of a plugin. */
function pluginEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
    HOME: directory,
    TF_PLUGIN_MAGIC_COOKIE: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    PLUGIN_PROTOCOL_VERSIONS: "5,6",
    PLUGIN_UNIX_SOCKET_DIR: directory,
    ...more,
  };
}

/** Ids of processes that run this test's executable. */
function running(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(executable);
    } catch {
      return false;
    }
  });
}

const noneLeft = () => waitFor("the end of every provider process", () => running().length === 0);

describe.each(terraformEngines)("with %s", (engine) => {
  const found = findEngine(engine);
  const testWithEngine = test.skipIf(!found.available);
  const workspace = () => new TerraformWorkspace({ engine, provider: { directory } });

  testWithEngine(`the program serves a whole life, and is gone after every run ${found.reason}`, async () => {
    const terraform = workspace();
    terraform.write(provider(join(terraform.directory, "things.json")) + thing());
    await terraform.applied();
    await noneLeft();
    await terraform.expectNoChanges();
    await noneLeft();
    await terraform.destroyed();
    await noneLeft();
    expect(JSON.parse(terraform.read("things.json"))).toEqual({});
    // Sockets, and the directories that they were in.
    expect(readdirSync(directory).filter((name) => name.startsWith("breezeblock-"))).toEqual([]);
  });

  testWithEngine(
    `an interrupt cancels cleanly, and the state keeps what was made ${found.reason}`,
    async () => {
      const terraform = workspace();
      const things = join(terraform.directory, "things.json");
      terraform.write(provider(things) + thing('behaviour = "hang_create"'));
      const applying = terraform.start(["apply", "-auto-approve", "-no-color"]);
      const result = resultOf(applying);
      await waitFor("the thing", () => existsSync(things));
      // As Ctrl-C in a terminal: the engine and its plugins, all of them.
      process.kill(-(applying.pid ?? 0), "SIGINT");
      const { exitCode, text } = await result;
      expect(exitCode, text).toBe(1);
      expect(text).toMatch(/Unable to make the thing[\s\S]*interrupted half-way/);
      const [id] = Object.keys(JSON.parse(readFileSync(things, "utf8")) as object);
      expect(await terraform.state()).toMatchObject([{ tainted: true, values: { id, name: "a" } }]);
      await noneLeft();
    },
  );

  testWithEngine(`an engine that is killed leaves no process behind ${found.reason}`, async () => {
    const terraform = workspace();
    const things = join(terraform.directory, "things.json");
    terraform.write(provider(things) + thing('behaviour = "hang_create"'));
    const applying = terraform.start(["apply", "-auto-approve", "-no-color"]);
    const result = resultOf(applying);
    await waitFor("the thing", () => existsSync(things));
    applying.kill("SIGKILL");
    await noneLeft();
    await result;
  });

  testWithEngine(`secret settings are in no state, plan or log ${found.reason}`, async () => {
    const terraform = workspace();
    const log = join(terraform.directory, "trace.log");
    terraform.write(
      provider(join(terraform.directory, "things.json"), 'token = "hunter2"') + thing('secret = "hunter2"'),
    );
    const trace = { TF_LOG: "trace", TF_LOG_PATH: log };
    const planned = await terraform.run(["plan", "-no-color", "-out=plan.bin"], trace);
    const applied = await terraform.run(["apply", "-no-color", "plan.bin"], trace);
    expect(applied.exitCode, applied.text).toBe(0);
    const shown = await terraform.run(["show", "-json", "plan.bin"]);
    const text = readFileSync(log, "utf8");
    expect(text).toMatch(/configured the toy/);
    for (const place of [planned.text, applied.text, shown.text, text, terraform.read("terraform.tfstate")]) {
      // The plan's copy of the configuration is what the user wrote, and the engine's own.
      expect(withoutConfiguration(place)).not.toMatch(/hunter2/);
    }
    await noneLeft();
  });

  testWithEngine.each(["packed", "unpacked"])(
    `init installs from a filesystem mirror, %s ${found.reason}`,
    async (layout) => {
      const mirror = tempDirectory();
      const home = join(mirror, registryOf(engine), "breezeblock", "breezeblock");
      const target = `${platform()}_${arch() === "x64" ? "amd64" : arch()}`;
      const content = readFileSync(executable);
      if (layout === "packed") {
        mkdirSync(home, { recursive: true });
        const archive = zip([{ name: fileName, content, mode: 0o755 }]);
        writeFileSync(join(home, `terraform-provider-breezeblock_${version}_${target}.zip`), archive);
      } else {
        mkdirSync(join(home, version, target), { recursive: true });
        cpSync(executable, join(home, version, target, fileName));
      }
      const terraform = new TerraformWorkspace({ engine, provider: { mirror } });
      // As in a TypeScript project of today, where Node.js takes files for ES modules.
      terraform.write('{ "type": "module" }', "package.json");
      terraform.write(provider(join(terraform.directory, "things.json")) + thing());
      const initialised = await terraform.init();
      expect(initialised.exitCode, initialised.text).toBe(0);
      await terraform.applied();
      await terraform.expectNoChanges();
    },
  );
});

function withoutConfiguration(text: string): string {
  if (!text.startsWith("{")) return text;
  const { configuration: _configuration, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest);
}

describe("run by hand", () => {
  test("the program says what it is and how it is used", () => {
    const { status, stdout, stderr } = spawnSync(executable, {
      env: { PATH: process.env["PATH"], HOME: directory },
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/provider for Terraform and OpenTofu[\s\S]*dev_overrides/);
  });

  test("on a Node.js that is too old it says so in one line", () => {
    const bin = tempDirectory();
    const preload = join(bin, "old.cjs");
    writeFileSync(
      preload,
      'const versions = { ...process.versions, node: "20.20.2" };\n' +
        'Object.defineProperty(process, "versions", { value: versions });\n' +
        'Object.defineProperty(process, "version", { value: "v20.20.2" });\n',
    );
    writeFileSync(join(bin, "node"), `#!/bin/sh\nexec ${process.execPath} -r ${preload} "$@"\n`, {
      mode: 0o755,
    });
    const run = (environment: Readonly<Record<string, string>>) => {
      const env = { PATH: [bin, process.env["PATH"]].join(delimiter), ...environment };
      const { status, stdout, stderr } = spawnSync(executable, { env, encoding: "utf8" });
      return { status, stdout, stderr };
    };
    const words = "breezeblock needs Node.js 22.12 or later; the node on PATH is v20.20.2.\n";
    expect(run({})).toEqual({ status: 1, stdout: "", stderr: words });
    // Engines show what a plugin that does not start has said on its standard output, and no more.
    expect(run({ TF_PLUGIN_MAGIC_COOKIE: "any" })).toEqual({ status: 1, stdout: words, stderr: "" });
  });

  test("without Node.js it says so in one line", () => {
    const bin = tempDirectory();
    symlinkSync(findCommand("sh") ?? "/bin/sh", join(bin, "sh"));
    const { status, stderr } = spawnSync(executable, { env: { PATH: bin }, encoding: "utf8" });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "breezeblock needs Node.js 22.12 or later; there is no node on PATH.\n",
    });
  });

  test("with --debug it serves engines that are told of it", async () => {
    const child = spawn(executable, ["--debug"], {
      env: pluginEnvironment(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let reattach = "";
    for await (const line of createInterface(child.stdout)) {
      reattach = /^TF_REATTACH_PROVIDERS='(.*)'$/.exec(line)?.[1] ?? "";
      if (reattach !== "") break;
    }
    const engine = terraformEngines.find((name) => findEngine(name).available);
    if (engine !== undefined) {
      const terraform = new TerraformWorkspace({ engine, provider: { reattach } });
      terraform.write(thing());
      await terraform.applied();
      await terraform.expectNoChanges("-refresh=false");
    }
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("as a plugin", () => {
  /** The handshake line's fields. */
  async function start(more: Readonly<Record<string, string>> = {}) {
    const child = spawn(executable, { env: pluginEnvironment(more), stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const fields = line.split("|");
    return { child, fields, socket: fields[3] ?? "" };
  }

  const healthy = async (session: ClientHttp2Session) => {
    const { status } = await new GrpcClient(session).call(HealthMethods.check, { service: "plugin" });
    return status === 1;
  };

  test("the first line tells where and how it is served", async () => {
    const { fields, socket } = await start();
    expect(fields).toEqual(["1", "6", "unix", socket, "grpc", ""]);
    expect(execFileSync("stat", ["-c", "%a", dirname(socket)], { encoding: "utf8" }).trim()).toBe("700");
  });

  test("only a client with the engine's certificate is served", async () => {
    const engine = createCertificate();
    const { fields, socket } = await start({ PLUGIN_CLIENT_CERT: engine.pem });
    const [server = ""] = fields.slice(5);
    expect(server).not.toMatch(/=/);
    const ca = new X509Certificate(Buffer.from(server, "base64")).toString();
    const session = (identity: { key?: string; cert?: string }) => {
      const made = connect("https://localhost", {
        createConnection: () =>
          connectTls({ path: socket, ca, servername: "localhost", ALPNProtocols: ["h2"], ...identity }),
      });
      made.on("error", () => undefined);
      onTestFinished(() => made.destroy());
      return made;
    };
    const stranger = createCertificate();
    await expect(healthy(session({}))).rejects.toThrow();
    await expect(healthy(session({ key: stranger.key, cert: stranger.pem }))).rejects.toThrow();
    expect(await healthy(session({ key: engine.key, cert: engine.pem }))).toBe(true);
    // Neither is one without TLS.
    await expect(GrpcClient.toSocket(socket).call(HealthMethods.check, {})).rejects.toThrow();
  });

  test("it ignores interrupts, and ends with its last client", async () => {
    const { child, socket } = await start();
    const exited = once(child, "exit");
    child.kill("SIGINT");
    const client = GrpcClient.toSocket(socket);
    expect((await client.call(HealthMethods.check, {})).status).toBe(1);
    await client.close();
    expect(await exited).toEqual([0, null]);
    expect(existsSync(dirname(socket))).toBe(false);
  });

  test("it ends when whoever started it is gone before it connected", async () => {
    const parent = spawn("/bin/sh", ["-c", `"${executable}" & echo $!; wait`], {
      env: pluginEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    const lines = createInterface(parent.stdout);
    const [pid, handshake] = await new Promise<string[]>((resolve) => {
      const seen: string[] = [];
      lines.on("line", (line) => {
        seen.push(line);
        if (seen.length === 2) resolve(seen);
      });
    });
    expect(handshake).toMatch(/^1\|6\|unix/);
    parent.kill("SIGKILL");
    await waitFor("the end of the plugin", () => !existsSync(`/proc/${pid}`));
  });
});
