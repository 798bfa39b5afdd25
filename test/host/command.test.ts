import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { findProcesses } from "../../src/embedded-host/processes.ts";
import { ensurePackages } from "../support/packages.ts";
import { runSsh } from "../support/ssh-client.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const client = await ensurePackages(["openssh-client"]);
const main = join(import.meta.dirname, "../../src/cli/main.ts");

interface Ready {
  address: string;
  port: number;
  user: string;
  private_key_file: string;
  host_key: string;
}

function breezeblock(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return { child, output, ended };
}

async function firstLine(child: ChildProcess, read: () => string): Promise<string> {
  while (!read().includes("\n")) await new Promise((resolve) => child.stdout?.once("data", resolve));
  return read().slice(0, read().indexOf("\n"));
}

describe("breezeblock host", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "prints one line of JSON when ready, and ends on %s with nothing left over",
    async (signal) => {
      const directory = tempDirectory();
      const { child, output, ended } = breezeblock("host", "--directory", directory, "--json");
      const ready = JSON.parse(await firstLine(child, () => output.stdout)) as Ready;
      expect(ready).toEqual({
        address: "127.0.0.1",
        port: expect.any(Number),
        user: expect.any(String),
        private_key_file: join(directory, ".breezeblock-host/user_ed25519"),
        host_key: expect.stringMatching(/^ssh-ed25519 AAAA\S+$/),
      });
      expect(existsSync(join(directory, "volumes"))).toBe(true);
      let marker = "";
      if (client.available) {
        const result = await runSsh(
          { ...ready, privateKeyFile: ready.private_key_file },
          'setsid sleep 60 >/dev/null 2>&1 </dev/null & echo "$BREEZEBLOCK_STARTED_BY"',
        );
        marker = result.stdout.toString().trim();
        expect(await findProcesses(marker)).not.toEqual([]);
      }
      child.kill(signal);
      expect(await ended).toBe(0);
      expect(output.stdout.match(/\n/g)).toHaveLength(1);
      expect(output.stderr).toBe("");
      if (client.available) expect(await findProcesses(marker)).toEqual([]);
    },
  );

  test("without --json it prints a provider block to paste", async () => {
    const directory = tempDirectory();
    const { child, output, ended } = breezeblock("host", "--directory", directory);
    await firstLine(child, () => output.stdout);
    child.kill("SIGTERM");
    await ended;
    expect(output.stdout).toContain('provider "breezeblock" {');
    expect(output.stdout).toContain(`file = { directory = "${directory}/volumes" }`);
  });

  test.each([
    [["host", "--directory", "d", "--bogus"], "Unknown option '--bogus'"],
    [["host"], "--directory is required"],
    [["host", "--directory", "d", "--port", "70000"], "--port takes a number from 0 to 65535"],
    [["hots"], 'there is no command "hots"'],
    [[], "a command is missing"],
  ])("%j is not understood: exit code 2", async (args, complaint) => {
    const { output, ended } = breezeblock(...args);
    expect(await ended).toBe(2);
    expect(output.stderr).toContain(complaint);
    expect(output.stdout).toBe("");
  });

  test("--help and --version answer on stdout", async () => {
    const help = breezeblock("--help");
    expect(await help.ended).toBe(0);
    expect(help.output.stdout).toContain("host");
    const version = breezeblock("--version");
    expect(await version.ended).toBe(0);
    expect(version.output.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
