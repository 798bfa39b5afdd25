import { symlinkSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEmbeddedHost } from "../../src/embedded-host/index.ts";
import { findCommand } from "../support/commands.ts";
import { ensurePackages } from "../support/packages.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { hostFor } from "./hosts.ts";

const wanted = ["dash", "bash", "busybox", "mksh"];
const tools = await ensurePackages(wanted);
if (!tools.available) console.warn(tools.reason);
const shells = wanted.filter((shell) => findCommand(shell) !== undefined);

describe.each(shells)("a host whose sh is %s", (shell) => {
  it("runs commands, locks, streams and jobs, and ends what takes too long", async () => {
    const directory = tempDirectory();
    const bin = tempDirectory();
    symlinkSync(findCommand(shell) ?? "", `${bin}/sh`);
    const server = await startEmbeddedHost({ directory, path: `${bin}:${process.env["PATH"]}` });
    onTestFinished(() => server.stop());
    const host = hostFor(server);
    const any = Buffer.from(Uint8Array.from({ length: 255 }, (_, index) => index + 1));
    expect((await host.run(["printf", "%s", any])).stdout).toEqual(any);
    expect((await host.run(["cat"], { stdin: Buffer.concat([Buffer.of(0), any]) })).stdout.length).toBe(256);
    const lock = `${directory}/lock`;
    await host.withLock(lock, {}, async (locked) => {
      expect((await host.run(["flock", "-n", lock, "true"])).exitCode).toBe(1);
      expect((await locked.run(["cat"], { stdin: "in" })).stdout.toString()).toBe("in");
    });
    expect((await host.run(["flock", "-n", lock, "true"])).exitCode).toBe(0);
    const job = { id: "job", directory, argv: ["sh", "-c", "echo out; exit 4"] };
    expect(await host.runJob(job)).toMatchObject({ exitCode: 4, stdout: Buffer.from("out\n") });
    await host.forgetJob(job);
    await expect(host.run(["sleep", "61"], { timeoutMs: 100 })).rejects.toMatchObject({
      message: expect.stringContaining("its process group was ended"),
    });
  });
});
