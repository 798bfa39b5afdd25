import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Become } from "../../src/ssh/index.ts";
import { type OpenSsh, startOpenSsh } from "../support/openssh.ts";
import { ensurePackages } from "../support/packages.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { hostFor, openSsh } from "./hosts.ts";

const tools = await ensurePackages(["sudo", "doas"]);
const obstacle =
  process.getuid?.() !== 0 ? "left out: only root can make the users" : openSsh.reason || tools.reason;
if (obstacle !== "") console.warn(`sudo, doas and other users: ${obstacle}`);

/** A user of this machine, for as long as the tests run. */
function makeUser() {
  const name = `bb${randomBytes(4).toString("hex")}`;
  const password = `pw-${randomBytes(8).toString("hex")}`;
  const sudoers = `/etc/sudoers.d/${name}`;
  command("useradd", ["--create-home", "--shell", "/bin/bash", name]);
  command("chpasswd", [], `${name}:${password}\n`);
  return {
    name,
    password,
    allowSudo: (tag: string) => writeFileSync(sudoers, `${name} ALL=(ALL) ${tag} ALL\n`, { mode: 0o440 }),
    writeBashrc: (text: string) => writeFileSync(`/home/${name}/.bashrc`, text),
    remove: () => {
      rmSync(sudoers, { force: true });
      spawnSync("userdel", ["--remove", "--force", name]);
    },
  };
}

function command(name: string, argv: string[], input?: string): void {
  const { status, stderr } = spawnSync(name, argv, { encoding: "utf8", input });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
}

describe.skipIf(obstacle !== "")("another user on OpenSSH", () => {
  let user: ReturnType<typeof makeUser>;
  let server: OpenSsh;
  beforeAll(async () => {
    user = makeUser();
    server = await startOpenSsh({ user: user.name, passwordAuthentication: true, config: ["UsePAM yes"] });
  });
  afterAll(async () => {
    await server.stop();
    user.remove();
  });

  const whoami = async (become: Become) =>
    (await hostFor(server, { become }).run(["whoami"])).stdout.toString();

  it("logs in with a password, given or from the environment", async () => {
    const { password } = user;
    expect((await hostFor(server, { auth: { password } }).run(["whoami"])).stdout.toString()).toBe(
      `${user.name}\n`,
    );
    process.env["BREEZEBLOCK_TEST_PASSWORD"] = password;
    onTestFinished(() => {
      delete process.env["BREEZEBLOCK_TEST_PASSWORD"];
    });
    const fromEnvironment = hostFor(server, { auth: { passwordEnvironment: "BREEZEBLOCK_TEST_PASSWORD" } });
    expect((await fromEnvironment.run(["whoami"])).exitCode).toBe(0);
    const unset = hostFor(server, { auth: { passwordEnvironment: "BREEZEBLOCK_TEST_UNSET" } });
    await expect(unset.run(["whoami"])).rejects.toMatchObject({
      kind: "InvalidConfiguration",
      message: expect.stringContaining("BREEZEBLOCK_TEST_UNSET"),
    });
  });

  it("gains root by sudo without a password", async () => {
    user.allowSudo("NOPASSWD:");
    expect(await whoami({ method: "sudo" })).toBe("root\n");
    expect(await whoami({ method: "sudo", password: "not asked for" })).toBe("root\n");
  });

  it("gains root by sudo with a password, which shows nowhere", async () => {
    user.allowSudo("");
    const host = hostFor(server, { become: { method: "sudo", password: user.password } });
    expect((await host.run(["whoami"])).stdout.toString()).toBe("root\n");
    const { stdout } = await host.run([
      "sh",
      "-c",
      "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null",
    ]);
    expect(stdout.includes("sudo")).toBe(true);
    expect(stdout.includes(user.password)).toBe(false);
    const binary = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, index) => index % 256));
    expect((await host.run(["cat"], { stdin: binary })).stdout.equals(binary)).toBe(true);
    expect((await host.run(["cat"], { stdin: binary.subarray(0, 1_000) })).stdout.length).toBe(1_000);
    await host.withLock(`${tempDirectory()}/lock`, {}, async (locked) => {
      expect((await locked.run(["whoami"])).stdout.toString()).toBe("root\n");
    });
  });

  it("ends what runs as root by timeout", async () => {
    user.allowSudo("NOPASSWD:");
    const host = hostFor(server, { become: { method: "sudo" } });
    await expect(host.run(["sleep", "61"], { timeoutMs: 200 })).rejects.toMatchObject({
      kind: "OperationInDoubt",
      message: expect.stringContaining("its process group was ended"),
    });
  });

  it("says in sudo's words why there is no privilege", async () => {
    user.allowSudo("");
    const wrong = await whoami({ method: "sudo", password: "wrong-guess" }).catch((cause: unknown) => cause);
    expect(wrong).toMatchObject({ kind: "BackendUnreachable", message: expect.stringContaining("password") });
    expect(String(wrong)).not.toContain("wrong-guess");
    await expect(whoami({ method: "sudo" })).rejects.toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("password is required"),
    });
  });

  it.skipIf(existsSync("/etc/doas.conf"))("gains root by doas", async () => {
    onTestFinished(() => rmSync("/etc/doas.conf", { force: true }));
    writeFileSync("/etc/doas.conf", `permit nopass ${user.name}\n`, { mode: 0o600 });
    expect(await whoami({ method: "doas" })).toBe("root\n");
    writeFileSync("/etc/doas.conf", `permit ${user.name}\n`, { mode: 0o600 });
    await expect(whoami({ method: "doas" })).rejects.toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("doas"),
    });
  });

  it("is not confused by a heavy and talkative .bashrc", async () => {
    onTestFinished(() => user.writeBashrc(""));
    user.writeBashrc(
      "echo welcome; echo trouble >&2; sleep 0.2; cd /tmp; set -u; alias sh=false; export LC_ALL=C.UTF-8; echo() { printf 'bad %s' \"$@\"; }; export -f echo; trap 'printf trap' EXIT\n",
    );
    const host = hostFor(server);
    const results = await Promise.all(
      [1, 2, 3].map(() => host.run(["sh", "-c", 'pwd; echo "$LC_ALL"; echo err >&2'])),
    );
    for (const { stdout, stderr } of results) {
      expect(stdout.toString()).toMatch(/^\/\n/);
      expect(stderr.toString()).toContain("err");
    }
    expect((await host.run(["printf", "x"])).stdout.toString()).toBe("x");
  });

  it("works with another login shell", async () => {
    for (const shell of ["/bin/dash", "/usr/bin/fish", "/bin/tcsh", "/bin/zsh"].filter(existsSync)) {
      command("usermod", ["--shell", shell, user.name]);
      expect((await hostFor(server).run(["echo", "it's"])).stdout.toString()).toBe("it's\n");
    }
    command("usermod", ["--shell", "/bin/bash", user.name]);
  });

  it("is told when the login shell runs no commands", async () => {
    command("usermod", ["--shell", "/usr/sbin/nologin", user.name]);
    onTestFinished(() => command("usermod", ["--shell", "/bin/bash", user.name]));
    await expect(hostFor(server).run(["true"])).rejects.toMatchObject({ kind: "BackendUnreachable" });
  });
});

describe.skipIf(!openSsh.available)("few sessions on OpenSSH", () => {
  it("are enough from 5 on", async () => {
    const server = await startOpenSsh({ maxSessions: 5 });
    onTestFinished(() => server.stop());
    const host = hostFor(server);
    const directory = tempDirectory();
    await Promise.all([
      ...Array.from({ length: 20 }, () => host.run(["true"])),
      ...Array.from({ length: 4 }, (_, index) =>
        host.withLock(`${directory}/${index}`, {}, (locked) => locked.run(["true"])),
      ),
      ...Array.from({ length: 4 }, () => host.stream(["true"], {})),
    ]);
    await expect(host.run(["sleep", "61"], { timeoutMs: 100 })).rejects.toMatchObject({
      message: expect.stringContaining("its process group was ended"),
    });
    expect(host.stats().dials).toBe(1);
  });

  it("are told to be too few where there is no way", async () => {
    const server = await startOpenSsh({ maxSessions: 1 });
    onTestFinished(() => server.stop());
    const host = hostFor(server);
    const lock = `${tempDirectory()}/lock`;
    const nested = host.withLock(lock, {}, () => host.run(["true"]));
    await expect(nested).rejects.toMatchObject({
      kind: "BackendUnreachable",
      message: expect.stringContaining("MaxSessions"),
    });
  });
});
