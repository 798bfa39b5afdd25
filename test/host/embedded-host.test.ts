import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EmbeddedHostOptions, startEmbeddedHost } from "../../src/embedded-host/index.ts";
import { generateKeyPair } from "../../src/embedded-host/key-pair.ts";
import { titled } from "../support/availability.ts";
import { isRunning } from "../support/is-running.ts";
import { ensurePackages } from "../support/packages.ts";
import { runSsh } from "../support/ssh-client.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { waitFor } from "../support/wait-for.ts";

const client = await ensurePackages(["openssh-client"]);

async function start(options: Partial<EmbeddedHostOptions> = {}) {
  const directory = options.directory ?? tempDirectory();
  const host = await startEmbeddedHost({ ...options, directory });
  onTestFinished(() => host.stop());
  return host;
}

describe.skipIf(!client.available)(titled("embedded host, asked by OpenSSH's ssh", client), () => {
  test("runs a command in its directory and hands back both outputs and the status", async () => {
    const host = await start();
    const result = await runSsh(host, "pwd; echo oops >&2; exit 7");
    expect({ ...result, stdout: result.stdout.toString() }).toEqual({
      status: 7,
      stdout: `${host.directory}\n`,
      stderr: "oops\n",
    });
  });

  test("keeps its own environment out of commands", async () => {
    process.env["BREEZEBLOCK_TEST_SECRET"] = "hunter2";
    onTestFinished(() => {
      delete process.env["BREEZEBLOCK_TEST_SECRET"];
    });
    const host = await start();
    const { stdout } = await runSsh(host, "env");
    expect(stdout.toString()).not.toContain("hunter2");
    expect(stdout.toString()).toContain(`HOME=${host.directory}\n`);
  });

  test("carries megabytes both ways, byte for byte", async () => {
    const host = await start();
    const input = randomBytes(20_000_000);
    const { stdout, status } = await runSsh(host, "cat", { input });
    expect(status).toBe(0);
    expect(stdout.equals(input)).toBe(true);
  });

  test("keeps large stdout and stderr apart when both flow at once", async () => {
    const host = await start();
    const size = 8_000_000;
    const { stdout, stderr } = await runSsh(
      host,
      `head -c ${size} /dev/zero | tr '\\0' o & head -c ${size} /dev/zero | tr '\\0' e >&2; wait`,
    );
    expect(stdout.equals(Buffer.alloc(size, "o"))).toBe(true);
    expect(stderr === "e".repeat(size)).toBe(true);
  });

  test("does not wait for a command to read what it was sent", async () => {
    const host = await start();
    const { status, stdout } = await runSsh(host, "head -c 3", { input: Buffer.alloc(10_000_000, "a") });
    expect([status, stdout.toString()]).toEqual([0, "aaa"]);
  });

  test("refuses any key but its own", async () => {
    const host = await start();
    const privateKeyFile = join(tempDirectory(), "other");
    writeFileSync(privateKeyFile, generateKeyPair().private, { mode: 0o600 });
    const { status, stderr } = await runSsh({ ...host, privateKeyFile }, "true");
    expect(status).toBe(255);
    expect(stderr).toContain("Permission denied (publickey)");
  });

  test("refuses any user but its own", async () => {
    const host = await start();
    const { stderr } = await runSsh({ ...host, user: "somebody-else" }, "true");
    expect(stderr).toContain("Permission denied (publickey)");
  });

  test("shows the host key that it reports", async () => {
    const host = await start();
    const knownHosts = join(tempDirectory(), "known_hosts");
    writeFileSync(knownHosts, `[${host.address}]:${host.port} ${host.hostKey}\n`);
    const options = ["StrictHostKeyChecking=yes", `UserKnownHostsFile=${knownHosts}`];
    expect(await runSsh(host, "true", { options })).toMatchObject({ status: 0, stderr: "" });
  });

  test("two hosts at once have directories and keys of their own", async () => {
    const [one, two] = await Promise.all([start(), start()]);
    expect(one.hostKey).not.toBe(two.hostKey);
    const outputs = await Promise.all([one, two].map((host) => runSsh(host, "pwd")));
    expect(outputs.map(({ stdout }) => stdout.toString().trim())).toEqual([one.directory, two.directory]);
    const { status } = await runSsh({ ...one, privateKeyFile: two.privateKeyFile }, "true");
    expect(status).toBe(255);
  });

  test("ends what commands left running when it stops, also in sessions of their own", async () => {
    const host = await start();
    const { stdout } = await runSsh(
      host,
      "setsid sh -c 'trap \"\" TERM; echo $$; exec >/dev/null 2>&1 </dev/null; while :; do sleep 60; done' &",
    );
    const pid = Number(stdout.toString());
    expect(await isRunning(pid)).toBe(true);
    await host.stop();
    expect(await isRunning(pid)).toBe(false);
  });

  test("lets commands live on when their connection goes, as sshd does", async () => {
    const host = await start();
    const pidFile = join(host.directory, "pid");
    const { stdout } = await runSsh(
      host,
      `sh -c 'echo $$ > ${pidFile}; exec sleep 60' >/dev/null 2>&1 & echo left`,
    );
    expect(stdout.toString()).toBe("left\n");
    const pid = await waitFor("The command's start", () => Number(readFileSync(pidFile, "utf8")));
    expect(await isRunning(pid)).toBe(true);
  });

  test("is a jump host only when asked to", async () => {
    const target = await start();
    const open = await start({ allowLoopbackForwarding: true });
    const closed = await start();
    const through = (jump: typeof open) =>
      runSsh(target, "echo arrived", {
        options: [
          `ProxyCommand=ssh -F none -i ${jump.privateKeyFile} -p ${jump.port} -o LogLevel=QUIET -o BatchMode=yes` +
            ` -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -W %h:%p ${jump.user}@${jump.address}`,
        ],
      });
    expect((await through(open)).stdout.toString()).toBe("arrived\n");
    expect((await through(closed)).status).toBe(255);
  });

  test("offers no terminal", async () => {
    const host = await start();
    const { status, stdout } = await runSsh(host, "tty", { options: ["RequestTTY=force"] });
    expect([status, stdout.toString()]).toEqual([255, ""]);
  });
});

describe("embedded host", () => {
  test("keeps its identity over a restart, with private files", async () => {
    const directory = tempDirectory();
    const first = await start({ directory });
    const key = readFileSync(first.privateKeyFile, "utf8");
    await first.stop();
    const second = await start({ directory });
    expect(second.hostKey).toBe(first.hostKey);
    expect(readFileSync(second.privateKeyFile, "utf8")).toBe(key);
    expect(statSync(second.privateKeyFile).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, ".breezeblock-host")).mode & 0o777).toBe(0o700);
  });

  test("started twice in one new directory, both have the same identity", async () => {
    const directory = tempDirectory();
    const [one, two] = await Promise.all([start({ directory }), start({ directory })]);
    expect(one.hostKey).toBe(two.hostKey);
  });

  test("a connection has no more sessions than OpenSSH would give it", async () => {
    const host = await start({ maxSessions: 2 });
    const connection = new ssh2.Client();
    onTestFinished(() => void connection.end());
    await new Promise<void>((resolve, reject) => {
      connection.once("ready", resolve).once("error", reject);
      connection.connect({
        host: host.address,
        port: host.port,
        username: host.user,
        privateKey: readFileSync(host.privateKeyFile),
      });
    });
    const exec = (command: string) =>
      new Promise<ssh2.ClientChannel>((resolve, reject) =>
        connection.exec(command, (error, channel) => (error ? reject(error) : resolve(channel))),
      );
    const first = await exec("cat");
    await exec("cat");
    await expect(exec("true")).rejects.toThrow(/open failure/i);
    first.end();
    await waitFor("A free session", () => exec("true"));
  });

  test("a signal reaches the command and is reported back", async () => {
    const host = await start();
    const connection = new ssh2.Client();
    onTestFinished(() => void connection.end());
    const reported = await new Promise<unknown>((resolve, reject) => {
      connection.once("error", reject).once("ready", () => {
        connection.exec("echo ready; exec sleep 60", (error, channel) => {
          if (error) return reject(error);
          channel.once("data", () => channel.signal("TERM"));
          channel.once("exit", (_code: number | null, signal?: string) => resolve(signal));
        });
      });
      connection.connect({
        host: host.address,
        port: host.port,
        username: host.user,
        privateKey: readFileSync(host.privateKeyFile),
      });
    });
    expect(reported).toBe("SIGTERM");
  });

  test("stops although a client says nothing and stays", async () => {
    const host = await start();
    const silent = connect({ host: host.address, port: host.port }).resume();
    await new Promise((resolve) => silent.once("connect", resolve));
    const closed = new Promise((resolve) => silent.once("close", resolve).once("error", resolve));
    await host.stop();
    await closed;
  });

  test("says what is wrong when its port is taken", async () => {
    const { port } = await start();
    await expect(startEmbeddedHost({ directory: tempDirectory(), port })).rejects.toMatchObject({
      kind: "InvalidConfiguration",
      message: expect.stringContaining(`Port ${port} of 127.0.0.1 cannot be used`),
    });
  });
});
