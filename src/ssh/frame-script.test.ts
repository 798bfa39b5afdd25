import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { array, asyncProperty, assert as check, uint8Array } from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Argument } from "../contract/index.ts";
import { FrameReader } from "./frame-reader.ts";
import { type ByteWriter, closeLockFrame, commandFrame, openLockFrame, setUpScript } from "./frame-script.ts";

const directory = mkdtempSync(join(tmpdir(), "breezeblock-frames-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const shells = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"], ["mksh"]].filter(
  ([command = "", ...flags]) => {
    const isThere = spawnSync(command, [...flags, "-c", ":"]).error === undefined;
    if (!isThere) console.warn(`left out: ${command} is not installed`);
    return isThere;
  },
);

/** A local shell that takes frames, as a remote one does. */
class LocalShell {
  readonly process: ChildProcessWithoutNullStreams;
  writer: ByteWriter = "none";
  #frames = 0;

  constructor(argv: readonly string[]) {
    const [command = "", ...flags] = argv;
    this.process = spawn(command, flags);
    this.process.stdin.on("error", () => {});
  }

  async setUp(): Promise<string> {
    this.process.stdin.write(setUpScript("ready"));
    const [line] = await once(this.process.stdout, "data");
    const words = String(line).trim().slice("ready".length);
    this.writer = words.split(" ")[0] === "print" ? "print" : "printf";
    return words;
  }

  frame(script: (nonce: string) => Buffer) {
    const nonce = `nonce-${++this.#frames}-`;
    const parts: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    const stdout = new FrameReader(nonce, (chunk) => parts.stdout.push(chunk));
    const stderr = new FrameReader(nonce, (chunk) => parts.stderr.push(chunk));
    return new Promise<{ stdout: Buffer; stderr: Buffer; end: string; begin: string }>((resolve) => {
      const take = (reader: FrameReader) => (chunk: Buffer) => {
        reader.push(chunk);
        if (stdout.end === undefined || stderr.end === undefined) return;
        this.process.stdout.removeAllListeners("data");
        this.process.stderr.removeAllListeners("data");
        resolve({
          stdout: Buffer.concat(parts.stdout),
          stderr: Buffer.concat(parts.stderr),
          end: stdout.end,
          begin: stdout.begin ?? "",
        });
      };
      this.process.stdout.on("data", take(stdout));
      this.process.stderr.on("data", take(stderr));
      this.process.stdin.write(script(nonce));
    });
  }

  run(argv: readonly Argument[], stdin?: Uint8Array, lock = false) {
    const input =
      stdin === undefined
        ? ({ from: "nothing" } as const)
        : ({ from: "frame", data: stdin, writer: this.writer } as const);
    return this.frame((nonce) => commandFrame(nonce, argv, input, lock));
  }

  script(text: string, stdin?: Uint8Array, lock = false) {
    return this.run(["sh", "-c", text], stdin, lock);
  }
}

describe.each(shells.map((argv) => ({ argv })))("frames in $argv", ({ argv }) => {
  let shell: LocalShell;

  beforeEach(async () => {
    shell = new LocalShell(argv);
    expect(await shell.setUp()).toMatch(/^(printf|print)$/);
  });

  afterEach(() => {
    shell.process.kill("SIGKILL");
  });

  it("carry 10,000 generated arguments through many commands", async () => {
    const generated = array(uint8Array({ min: 1, max: 255, maxLength: 40 }), {
      minLength: 100,
      maxLength: 100,
    });
    await check(
      asyncProperty(generated, async (words) => {
        const { stdout } = await shell.run(["printf", "%s\\0", ...words]);
        expect(stdout.equals(Buffer.concat(words.flatMap((word) => [word, Buffer.of(0)])))).toBe(true);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it("carry any standard input", async () => {
    await check(
      asyncProperty(uint8Array({ maxLength: 2_000 }), async (data) => {
        const { stdout } = await shell.run(["cat"], data);
        expect(stdout.equals(data)).toBe(true);
      }),
      { numRuns: 100 },
    );
    const large = Buffer.alloc(
      65_536,
      Uint8Array.from({ length: 256 }, (_, byte) => byte),
    );
    expect((await shell.run(["cat"], large)).stdout.equals(large)).toBe(true);
    expect((await shell.run(["true"], large)).end).toBe("0 0");
  }, 60_000);

  it("tell exit statuses and deaths, and keep the shell's own remarks out", async () => {
    expect(await shell.script("exit 7")).toMatchObject({ end: "7 0" });
    expect(await shell.script("kill -9 $$")).toMatchObject({ end: "137 0", stderr: Buffer.alloc(0) });
    expect(await shell.run(["no-such-command"])).toMatchObject({ end: "127 0" });
    expect(await shell.run([""])).toMatchObject({ end: "127 0" });
    expect(await shell.run(["-version"])).toMatchObject({ end: "127 0" });
  });

  it("give each command a session of its own, led by the process that is announced", async () => {
    const { stdout, begin } = await shell.script(
      'read -r stat </proc/$$/stat; set -- $stat; echo "$1 $5 $6"',
    );
    const pid = begin.split(" ")[0];
    expect(stdout.toString()).toBe(`${pid} ${pid} ${pid}\n`);
  });

  it("give the environment that is promised, and no signal ignored", async () => {
    const { stdout } = await shell.script(
      'pwd; umask; echo "$LC_ALL"; grep SigIgn /proc/self/status; env | grep -c ^breezeblock_; case $PATH in */usr/sbin:*/sbin*) echo sbin; esac',
    );
    expect(stdout.toString()).toBe("/\n0077\nC\nSigIgn:\t0000000000000000\n0\nsbin\n");
  });

  it("leave nothing of one command to the next", async () => {
    await shell.script("cd /tmp; umask 0; export LEAK=1; trap 'echo leak' EXIT TERM; exec 3</dev/null; cat");
    const { stdout } = await shell.script(
      "pwd; umask; env | grep -c LEAK; trap; ls /proc/$$/fd | tr '\\n' ' '",
    );
    expect(stdout.toString()).toMatch(/^\/\n0077\n0\n0 1 2 /);
  });

  it("let a command print markers", async () => {
    const { stdout } = await shell.script("echo nonce-0-e0 0; echo nonce-2-b; printf nonce-1-");
    expect(stdout.toString()).toBe("nonce-0-e0 0\nnonce-2-b\nnonce-1-");
  });

  it("notice what of the group outlives the command, zombies not counted", async () => {
    expect(await shell.script("sleep 60 >/dev/null 2>&1 & echo $!")).toMatchObject({ end: "0 1" });
    const { stdout, begin } = await shell.script("sleep 60 >/dev/null 2>&1 & echo");
    expect(stdout.toString()).toBe("\n");
    const group = Number(begin.split(" ")[0]);
    process.kill(-group, "SIGKILL");
    expect(await shell.run(["true"])).toMatchObject({ end: "0 0" });
  });

  it("run nothing of a frame that arrives in part", async () => {
    const file = join(directory, `partial-${argv.join("-")}`);
    const whole = commandFrame("n", ["touch", file, `${file}-2`], { from: "nothing" }, false);
    for (const length of [
      whole.length - 2,
      whole.length - 4,
      whole.indexOf("-2'"),
      whole.indexOf("</dev/null"),
    ]) {
      const partial = new LocalShell(argv);
      await partial.setUp();
      partial.process.stdin.end(whole.subarray(0, length));
      await once(partial.process, "exit");
    }
    expect((await shell.run(["ls", directory])).stdout.toString()).not.toContain("partial-");
  });

  it("hold a lock in the shell, hand it to commands that ask, and give it up", async () => {
    const file = join(directory, `lock 'of' ${argv.join("-")}`);
    const isFree = async () => (await shell.run(["flock", "-n", file, "true"])).end === "0 0";
    expect(await shell.frame((nonce) => openLockFrame(nonce, file))).toMatchObject({ end: "0 0" });
    expect(await shell.run(["flock", "-w", "1", "9"], undefined, true)).toMatchObject({ end: "0 0" });
    expect(await isFree()).toBe(false);
    const command = await shell.script("sleep 60 >/dev/null 2>&1 & echo", undefined, true);
    await shell.frame(closeLockFrame);
    expect(await isFree()).toBe(false);
    process.kill(-Number(command.begin.split(" ")[0]), "SIGKILL");
    // By being waited for, in contrast to being tried.
    expect(await shell.run(["flock", "-w", "10", file, "true"])).toMatchObject({ end: "0 0" });
  });

  it("survive a lock file that cannot be opened", async () => {
    const opened = await shell.frame((nonce) => openLockFrame(nonce, "/nonexistent/lock"));
    expect(opened.end).toMatch(/^[1-9]/);
    expect(opened.stderr.toString()).toContain("/nonexistent/lock");
    expect(await shell.run(["true"])).toMatchObject({ end: "0 0" });
  });
});
