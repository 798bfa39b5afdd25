import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEmbeddedHost } from "../../src/embedded-host/index.ts";
import { titled } from "./availability.ts";
import { startFaultyProxy } from "./faulty-proxy.ts";
import { startFaultySshServer } from "./faulty-ssh-server.ts";
import { isRunning } from "./is-running.ts";
import { startOpenSsh } from "./openssh.ts";
import { ensurePackages } from "./packages.ts";
import { runSsh } from "./ssh-client.ts";
import { tempDirectory } from "./temp-directory.ts";

const packages = await ensurePackages(["openssh-client", "openssh-server"]);

describe.skipIf(!packages.available)(titled("a private sshd", packages), () => {
  test("lets its key in, shows its host key, and leaves nothing when it stops", async () => {
    const sshd = await startOpenSsh();
    onTestFinished(() => sshd.stop());
    const options = ["StrictHostKeyChecking=yes", `UserKnownHostsFile=${sshd.knownHostsFile}`];
    const { status, stdout } = await runSsh(sshd, "setsid sleep 60 >/dev/null 2>&1 </dev/null & echo $!", {
      options,
    });
    expect(status).toBe(0);
    await sshd.stop();
    expect(await isRunning(Number(stdout.toString()))).toBe(false);
    expect((await runSsh(sshd, "true", { options })).status).toBe(255);
  });
});

describe.skipIf(!packages.available)(titled("a proxy that misbehaves", packages), () => {
  test("is invisible without a fault, refuses, and recovers", async () => {
    const host = await startEmbeddedHost({ directory: tempDirectory() });
    onTestFinished(() => host.stop());
    const proxy = await startFaultyProxy(host);
    onTestFinished(() => proxy.stop());
    const through = { ...host, port: proxy.port };
    expect((await runSsh(through, "echo hello")).stdout.toString()).toBe("hello\n");
    await proxy.setFault({ kind: "refuse" });
    expect((await runSsh(through, "true")).stderr).toContain("Connection refused");
    await proxy.setFault({ kind: "none" });
    expect((await runSsh(through, "true")).status).toBe(0);
    expect(proxy.accepted()).toBe(2);
  });
});

test("a proxy cuts after exactly as many bytes as it was told", async () => {
  const server = createServer((socket) => socket.on("error", () => {}).end(Buffer.alloc(100_000)));
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  onTestFinished(() => void server.close());
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  const proxy = await startFaultyProxy({ address: "127.0.0.1", port: bound.port });
  onTestFinished(() => proxy.stop());
  await proxy.setFault({ kind: "cut-after", bytes: 70_000 });
  expect(await received(connect({ host: proxy.address, port: proxy.port }))).toBe(70_000);
});

test.skipIf(!packages.available).each([
  [{ login: "reject" }, "Permission denied"],
  [{ command: "refuse" }, "exec request failed"],
] as const)(titled("a server that misbehaves: %j", packages), async (faults, complaint) => {
  const server = await startFaultySshServer(faults);
  onTestFinished(() => server.stop());
  const host = await startEmbeddedHost({ directory: tempDirectory() });
  onTestFinished(() => host.stop());
  const { stderr } = await runSsh({ ...host, port: server.port }, "true");
  expect(stderr).toContain(complaint);
});

function received(socket: Socket): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
    });
    socket.on("error", () => {}).on("close", () => resolve(bytes));
  });
}
