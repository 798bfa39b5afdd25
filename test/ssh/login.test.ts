import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startEmbeddedHost } from "../../src/embedded-host/index.ts";
import { openHost } from "../../src/ssh/index.ts";
import { startFaultyProxy } from "../support/faulty-proxy.ts";
import { startFaultySshServer } from "../support/faulty-ssh-server.ts";
import { freePort } from "../support/free-port.ts";
import { type OpenSsh, startOpenSsh } from "../support/openssh.ts";
import { startSshAgent } from "../support/ssh-agent.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { hostFor, openSsh, settingsFor } from "./hosts.ts";

describe.skipIf(!openSsh.available)("logins to OpenSSH", () => {
  let server: OpenSsh;
  let keyDirectory: string;
  beforeAll(async () => {
    server = await startOpenSsh();
  });
  afterAll(() => server.stop());

  const greet = async (more: Parameters<typeof hostFor>[1]) =>
    (await hostFor(server, more).run(["echo", "hello"])).stdout.toString();

  it("work with an agent", async () => {
    const agent = await startSshAgent([server.privateKeyFile]);
    onTestFinished(() => agent.stop());
    expect(await greet({ auth: { agentSocket: agent.socket } })).toBe("hello\n");
  });

  it("go on with the key where the agent does not answer", async () => {
    const auth = { agentSocket: "/nonexistent/agent", privateKeyFile: server.privateKeyFile };
    expect(await greet({ auth })).toBe("hello\n");
  });

  it("work with a key given as text, and with one that has a passphrase", async () => {
    expect(await greet({ auth: { privateKey: readFileSync(server.privateKeyFile, "utf8") } })).toBe(
      "hello\n",
    );
    keyDirectory = tempDirectory();
    const file = `${keyDirectory}/key`;
    writeFileSync(file, readFileSync(server.privateKeyFile), { mode: 0o600 });
    const changed = spawnSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", file]);
    expect(changed.status).toBe(0);
    expect(await greet({ auth: { privateKeyFile: file, passphrase: "open sesame" } })).toBe("hello\n");
    for (const [passphrase, words] of [
      [undefined, "needs a passphrase"],
      ["wrong", "does not open"],
    ] as const) {
      const error = await greet({ auth: { privateKeyFile: file, passphrase } }).catch(
        (cause: unknown) => cause,
      );
      expect(error).toMatchObject({ kind: "InvalidConfiguration", message: expect.stringContaining(words) });
      expect(error).toMatchObject({ message: expect.stringContaining(file) });
      expect(String(error)).not.toContain("wrong");
    }
  });

  it("name a key file that is not there", async () => {
    await expect(greet({ auth: { privateKeyFile: "/nonexistent/key" } })).rejects.toMatchObject({
      kind: "InvalidConfiguration",
      message: expect.stringContaining("/nonexistent/key"),
    });
  });

  it("that are rejected list what was tried, and are not repeated", async () => {
    const directory = tempDirectory();
    const file = `${directory}/stranger`;
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    const host = hostFor(server, { auth: { privateKeyFile: file, password: "guess-work" } });
    const error = await host.run(["true"]).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ kind: "BackendUnreachable", message: expect.stringContaining(file) });
    expect(String(error)).not.toContain("guess-work");
    expect(host.stats().dials).toBe(1);
  });

  it("find the key in a known_hosts file, hashed by ssh-keygen, whichever kinds it holds", async () => {
    const directory = tempDirectory();
    for (const keys of [server.hostKeys, server.hostKeys.slice(0, 1), server.hostKeys.slice(1)]) {
      const knownHostsFile = `${directory}/known_hosts-${keys.length}-${keys[0]?.slice(4, 8)}`;
      writeFileSync(
        knownHostsFile,
        keys.map((key) => `[${server.address}]:${server.port} ${key}\n`).join(""),
      );
      expect(await greet({ hostKeys: { knownHostsFile } })).toBe("hello\n");
      expect(spawnSync("ssh-keygen", ["-q", "-H", "-f", knownHostsFile]).status).toBe(0);
      expect(readFileSync(knownHostsFile, "utf8")).toMatch(/^\|1\|/);
      expect(await greet({ hostKeys: { knownHostsFile } })).toBe("hello\n");
    }
  });

  it("accept a fingerprint of either key", async () => {
    for (const key of server.hostKeys) {
      const file = `${tempDirectory()}/host-key.pub`;
      writeFileSync(file, `${key}\n`);
      const printed = spawnSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" }).stdout;
      const pinned = [/SHA256:\S+/.exec(printed)?.[0] ?? ""];
      expect(await greet({ hostKeys: { pinned } })).toBe("hello\n");
    }
  });

  it("stop at a changed key before anything is sent", async () => {
    const other = await startOpenSsh();
    onTestFinished(() => other.stop());
    const knownHostsFile = `${tempDirectory()}/known_hosts`;
    appendFileSync(knownHostsFile, `[${server.address}]:${server.port} ${other.hostKey}\n`);
    for (const hostKeys of [{ knownHostsFile }, { pinned: [other.hostKey] }]) {
      const host = hostFor(server, { hostKeys });
      await expect(host.run(["true"])).rejects.toMatchObject({
        kind: "HostKeyMismatch",
        message: expect.stringMatching(/SHA256:.*SHA256:/),
      });
      expect(host.stats().dials).toBe(1);
    }
    const host = hostFor(server, { hostKeys: { insecureAcceptAnyHostKey: true } });
    expect((await host.run(["true"])).exitCode).toBe(0);
  });

  it("go through a jump host, whose faults are told apart", async () => {
    const directory = tempDirectory();
    const embedded = await startEmbeddedHost({ directory, allowLoopbackForwarding: true });
    onTestFinished(() => embedded.stop());
    const jumpHost = settingsFor({ ...embedded, stop: async () => {} }, { name: "bastion" });
    expect(await greet({ jumpHost })).toBe("hello\n");
    await expect(
      greet({ jumpHost: { ...jumpHost, auth: { privateKeyFile: "/nonexistent" } } }),
    ).rejects.toMatchObject({
      kind: "InvalidConfiguration",
      host: "bastion",
    });
    await expect(
      greet({ jumpHost: { ...jumpHost, hostKeys: { pinned: [server.hostKey] } } }),
    ).rejects.toMatchObject({ kind: "HostKeyMismatch", host: "bastion" });
    await expect(greet({ jumpHost, port: await freePort(), dialAttempts: 1 })).rejects.toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("bastion"),
    });
  });
});

describe("a server that does not work", () => {
  const settings = { name: "nas", address: "127.0.0.1", user: "storage", auth: { password: "secret-word" } };
  const open = (more: {
    port: number;
    hostKey?: string;
    perDialTimeoutMs?: number;
    dialAttempts?: number;
  }) => {
    const { hostKey, ...rest } = more;
    const hostKeys =
      hostKey === undefined ? ({ insecureAcceptAnyHostKey: true } as const) : { pinned: [hostKey] };
    const host = openHost({ ...settings, ...rest, hostKeys });
    onTestFinished(() => host.close());
    return host;
  };

  it("refuses connections: tried three times", async () => {
    const host = open({ port: await freePort() });
    await expect(host.run(["true"])).rejects.toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("refused"),
    });
    expect(host.stats().dials).toBe(3);
  });

  it("never answers: given up in time", async () => {
    const proxy = await startFaultyProxy({ address: "127.0.0.1", port: await freePort() });
    onTestFinished(() => proxy.stop());
    await proxy.setFault({ kind: "black-hole" });
    const host = open({ port: proxy.port, perDialTimeoutMs: 200, dialAttempts: 2 });
    await expect(host.run(["true"])).rejects.toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("200 ms"),
    });
    expect(host.stats().dials).toBe(2);
  });

  it("cuts the handshake: tried again", async () => {
    const server = await startFaultySshServer();
    onTestFinished(() => server.stop());
    const proxy = await startFaultyProxy(server);
    onTestFinished(() => proxy.stop());
    for (const bytes of [0, 10, 200]) {
      await proxy.setFault({ kind: "cut-after", bytes });
      const host = open({ port: proxy.port, dialAttempts: 2 });
      await expect(host.run(["true"])).rejects.toMatchObject({ kind: "BackendUnreachable" });
      expect(host.stats().dials).toBe(2);
    }
  });

  it("rejects the login: not tried again, and the password is not told", async () => {
    const server = await startFaultySshServer({ login: "reject" });
    onTestFinished(() => server.stop());
    const host = open({ port: server.port });
    const error = await host.run(["true"]).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("tried: password"),
    });
    expect(String(error)).not.toContain("secret-word");
    expect(host.stats().dials).toBe(1);
  });

  it("hangs in the login", async () => {
    const server = await startFaultySshServer({ login: "hang" });
    onTestFinished(() => server.stop());
    const host = open({ port: server.port, perDialTimeoutMs: 300, dialAttempts: 1 });
    await expect(host.run(["true"])).rejects.toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("login was not accepted"),
    });
  });

  it.each(["refuse", "close-channel", "garbage", "cut", "hang"] as const)(
    "gives no shell (%s): the command was not started",
    async (command) => {
      const server = await startFaultySshServer({ command });
      onTestFinished(() => server.stop());
      const host = open({ port: server.port, hostKey: server.hostKey, perDialTimeoutMs: 300 });
      await expect(host.run(["touch", "/tmp/never"])).rejects.toMatchObject({ kind: "BackendUnreachable" });
    },
  );

  it("loses the connection: in doubt for what ran, then a new connection", async () => {
    const directory = tempDirectory();
    const server = await startEmbeddedHost({ directory });
    onTestFinished(() => server.stop());
    const proxy = await startFaultyProxy(server);
    onTestFinished(() => proxy.stop());
    const host = openHost(settingsFor({ ...server, port: proxy.port, stop: async () => {} }));
    onTestFinished(() => host.close());
    const started = `${directory}/started`;
    const running = host.run(["sh", "-c", 'echo >"$1"; sleep 61', "sh", started]);
    running.catch(() => {});
    await waitFor("The start of the command", () => existsSync(started));
    proxy.cut();
    await expect(running).rejects.toMatchObject({
      kind: "OperationInDoubt",
      message: expect.stringContaining("connection was lost"),
    });
    expect((await host.run(["echo", "again"])).stdout.toString()).toBe("again\n");
    expect(host.stats().dials).toBe(2);
  });

  it("falls silent: noticed by keep-alive", async () => {
    const server = await startEmbeddedHost({ directory: tempDirectory() });
    onTestFinished(() => server.stop());
    const proxy = await startFaultyProxy(server);
    onTestFinished(() => proxy.stop());
    const base = settingsFor({ ...server, port: proxy.port, stop: async () => {} });
    const host = openHost({ ...base, keepAliveIntervalMs: 50 });
    onTestFinished(() => host.close());
    await host.run(["true"]);
    proxy.freeze();
    await expect(host.run(["true"])).rejects.toMatchObject({ kind: "OperationInDoubt" });
    proxy.thaw();
    expect((await host.run(["true"])).exitCode).toBe(0);
  });
});
