import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { PassThrough, Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { array, asyncProperty, assert as check, uint8Array } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHost } from "../../src/ssh/index.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { hostFor, type Server, serverKinds, settingsFor, startServer } from "./hosts.ts";

const kinds = serverKinds.map((kind) => ({ kind }));

describe.each(kinds)("commands over $kind", ({ kind }) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(kind);
  });
  afterAll(() => server.stop());

  it("brings 10,000 generated arguments there and back byte for byte", async () => {
    const host = hostFor(server);
    const words = array(uint8Array({ min: 1, max: 255, maxLength: 60 }), { minLength: 100, maxLength: 100 });
    await check(
      asyncProperty(words, async (argv) => {
        const { stdout } = await host.run(["printf", "%s\\0", ...argv]);
        expect(stdout.equals(Buffer.concat(argv.flatMap((word) => [word, Buffer.of(0)])))).toBe(true);
      }),
      { numRuns: 100 },
    );
    expect(host.stats()).toEqual({ dials: 1, channels: 1, commands: 100 });
  });

  it("keeps stdout, stderr, exit status and standard input apart", async () => {
    const host = hostFor(server);
    const script = "cat; printf 'no newline' >&2; exit 3";
    expect(await host.run(["sh", "-c", script], { stdin: "in\0put" })).toEqual({
      stdout: Buffer.from("in\0put"),
      stderr: Buffer.from("no newline"),
      exitCode: 3,
    });
    expect((await host.run(["cat"])).stdout).toEqual(Buffer.alloc(0));
    expect((await host.run(["sh", "-c", "kill -TERM $$"])).exitCode).toBe(128 + 15);
  });

  it("takes 100 MB of output, and input too large for a frame", async () => {
    const host = hostFor(server);
    const { stdout } = await host.run(["head", "-c", "100000000", "/dev/zero"]);
    expect(stdout.length).toBe(100_000_000);
    expect(stdout.equals(Buffer.alloc(100_000_000))).toBe(true);
    const large = Buffer.alloc(3_000_000, "any\0thing");
    expect((await host.run(["cat"], { stdin: large })).stdout.equals(large)).toBe(true);
    expect((await host.run(["true"], { stdin: large })).exitCode).toBe(0);
  });

  it("streams without keeping it all, either way", async () => {
    const host = hostFor(server);
    const chunk = Buffer.alloc(100_000, "stream");
    const sent = createHash("sha256");
    const received = createHash("sha256");
    const stdin = Readable.from(
      (function* () {
        for (let count = 0; count < 200; count++) {
          sent.update(chunk);
          yield chunk;
        }
      })(),
    );
    const stdout = new Writable({
      highWaterMark: 1,
      write(data: Buffer, _encoding, done) {
        received.update(data);
        setImmediate(done);
      },
    });
    expect(await host.stream(["sh", "-c", "cat; echo end >&2; exit 2"], { stdin, stdout })).toEqual({
      stderr: Buffer.from("end\n"),
      exitCode: 2,
    });
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    // What the command leaves unread must not reach the shell as script.
    const file = `${tempDirectory()}/ran`;
    const rest = Readable.from(["first line\n", ...Array.from({ length: 1_000 }, () => `touch ${file}\n`)]);
    await host.stream(["head", "-n", "1"], { stdin: rest });
    expect((await host.run(["test", "-e", file])).exitCode).toBe(1);
  });

  it("ends a command whose input stream fails, rather than let it take half for the whole", async () => {
    const host = hostFor(server);
    const file = `${tempDirectory()}/complete`;
    const stdin = new Readable({ read() {} });
    stdin.push("half");
    const streamed = host.stream(["sh", "-c", 'cat && touch "$1"', "sh", file], {
      stdin,
      stdout: new Writable({
        write(_data, _encoding, done) {
          stdin.destroy(new Error("the disk is gone"));
          done();
        },
      }),
    });
    await expect(streamed).rejects.toMatchObject({ kind: "VolumeBackendError" });
    expect((await host.run(["test", "-e", file])).exitCode).toBe(1);
  });

  it.each([
    ["while the command runs", "head -c 300000 /dev/zero; exec sleep 600"],
    ["when the command has ended", "head -c 300000 /dev/zero"],
  ])("ends where nobody takes the output any more, %s", async (_, script) => {
    const host = hostFor(server);
    const streamed = (command: string, signal?: AbortSignal) => {
      // Taken by nobody, it soon wants no more.
      const stdout = new PassThrough({ highWaterMark: 1 });
      const stream = host.stream(["sh", "-c", command], { stdout }, { signal });
      stream.catch(() => {});
      return { stdout, stream };
    };
    const closed = streamed(script);
    await waitFor("output", () => closed.stdout.writableNeedDrain);
    closed.stdout.destroy();
    await expect(closed.stream).rejects.toMatchObject({
      kind: "VolumeBackendError",
      message: expect.stringContaining("it was closed"),
    });
    const stopping = new AbortController();
    const stopped = streamed(script, stopping.signal);
    await waitFor("output", () => stopped.stdout.writableNeedDrain);
    stopping.abort();
    await expect(stopped.stream).rejects.toMatchObject({ kind: "Cancelled" });
  });

  it("gives a slow reader all of the output, long after the command has ended", async () => {
    const host = hostFor(server);
    const directory = tempDirectory();
    let taken = 0;
    const stdout = new Writable({
      highWaterMark: 1,
      async write(chunk: Buffer, _encoding, done) {
        // The first piece is held until the rest is on its way and its shell long gone.
        if (taken === 0) {
          await waitFor("The command's end", () => existsSync(`${directory}/ended`));
          await delay(3_000);
        }
        taken += chunk.length;
        done();
      },
    });
    const argv = ["sh", "-c", 'head -c 300000 /dev/zero; touch "$1/ended"', "sh", directory];
    expect(await host.stream(argv, { stdout })).toMatchObject({ exitCode: 0 });
    await waitFor("The last of the output", () => taken === 300_000);
  });

  it("reports a killed shell for the command it ran, and goes on with another", async () => {
    const host = hostFor(server, { maxSessionShells: 1 });
    const killed = host.run(["sh", "-c", "kill -9 $PPID; sleep 60"]);
    const queued = host.run(["echo", "later"]);
    await expect(killed).rejects.toMatchObject({
      kind: "OperationInDoubt",
      message: expect.stringContaining("kill -9"),
    });
    expect((await queued).stdout.toString()).toBe("later\n");
  });

  it("ends the whole process group on abort and on timeout", async () => {
    const host = hostFor(server);
    const directory = tempDirectory();
    const tree = (file: string) => [
      "sh",
      "-c",
      'sleep 61 & sleep 62 & (echo $$ >"$1"; sleep 63)',
      "sh",
      file,
    ];
    const members = async (file: string) => {
      const leader = (await host.run(["cat", file])).stdout.toString().trim();
      if (leader === "") throw new Error("not started yet");
      const { stdout } = await host.run(["ps", "-e", "-o", "pgid=,stat=,args="]);
      return stdout
        .toString()
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([group, state]) => group === leader && state?.startsWith("Z") === false);
    };
    const abort = new AbortController();
    const aborted = host.run(tree(`${directory}/abort`), { signal: abort.signal });
    aborted.catch(() => {});
    await waitFor(
      "The start of all processes",
      async () => (await members(`${directory}/abort`)).length >= 4,
    );
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ kind: "Cancelled" });
    expect(await members(`${directory}/abort`)).toEqual([]);

    const late = host.run(tree(`${directory}/late`), { timeoutMs: 300 });
    await expect(late).rejects.toMatchObject({
      kind: "OperationInDoubt",
      message: expect.stringMatching(/within 300 ms; its process group was ended/),
    });
    expect(await members(`${directory}/late`)).toEqual([]);
  });

  it("kills what ignores TERM", async () => {
    const host = hostFor(server);
    const stubborn = host.run(["sh", "-c", "trap '' TERM; sleep 61; sleep 62"], { timeoutMs: 200 });
    await expect(stubborn).rejects.toMatchObject({ message: expect.stringContaining("SIGKILL") });
  });

  it("does not start a command whose abort came before", async () => {
    const host = hostFor(server);
    const file = `${tempDirectory()}/ran`;
    await expect(host.run(["touch", file], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "Cancelled",
    });
    expect((await host.run(["test", "-e", file])).exitCode).toBe(1);
  });

  it("keeps late output out of later commands", async () => {
    const host = hostFor(server, { maxSessionShells: 1 });
    const gate = `${tempDirectory()}/gate`;
    await host.run(["mkfifo", gate]);
    await host.run(["sh", "-c", '{ read -r line <"$1"; echo late; echo late >&2; } & echo now', "sh", gate]);
    const results = await Promise.all([
      host.run(["sh", "-c", 'echo go >"$1"; sleep 0.2; echo mine', "sh", gate]),
      host.run(["echo", "next"]),
    ]);
    expect(results.map((result) => `${result.stdout}${result.stderr}`)).toEqual(["mine\n", "next\n"]);
  });

  it("runs 50 commands at a time on one connection, below MaxSessions", async () => {
    const host = hostFor(server);
    const numbers = Array.from({ length: 50 }, (_, index) => String(index));
    const results = await Promise.all(numbers.map((number) => host.run(["echo", number])));
    expect(results.map((result) => result.stdout.toString().trim())).toEqual(numbers);
    expect(host.stats()).toEqual({ dials: 1, channels: 4, commands: 50 });
  });

  it("gives every kind of use a shell, however many of the others there are", async () => {
    const host = hostFor(server);
    const directory = tempDirectory();
    const uses = Array.from({ length: 12 }, (_, index) =>
      host.withLock(`${directory}/lock-${index}`, {}, async (locked) => {
        await locked.run(["true"]);
        await host.run(["true"]);
        await host.stream(["true"], {});
        await host.runJob({ id: `job-${index}`, directory, argv: ["true"] });
      }),
    );
    await Promise.all(uses);
    expect(host.stats().dials).toBe(1);
  });

  it("ends what runs when it is closed, and refuses what comes then", async () => {
    const host = hostFor(server);
    const file = `${tempDirectory()}/pid`;
    const running = host.run(["sh", "-c", 'echo $$ >"$1"; sleep 61', "sh", file]);
    running.catch(() => {});
    const pid = await waitFor("The start", async () =>
      (await host.run(["cat", file])).stdout.toString().trim(),
    );
    await host.close();
    await host.close();
    await expect(running).rejects.toMatchObject({
      kind: expect.stringMatching(/Cancelled|OperationInDoubt/),
    });
    await expect(host.run(["true"])).rejects.toMatchObject({ kind: "BackendUnreachable" });
    const other = hostFor(server);
    expect((await other.run(["test", "-e", `/proc/${pid}/fd`])).exitCode).toBe(1);
  });

  it("never shows standard input in the process list", async () => {
    const host = hostFor(server);
    const secret = "correct horse battery staple";
    const { stdout } = await host.run(["sh", "-c", "cat >/dev/null; ps -ef"], { stdin: secret });
    expect(stdout.toString()).toContain("ps -ef");
    expect(stdout.toString()).not.toContain("horse");
  });

  it("writes no input and no secret to the log", async () => {
    const lines: string[] = [];
    const settings = settingsFor(server, {
      auth: { privateKeyFile: server.privateKeyFile, password: "hunter2-secret" },
    });
    const host = openHost(settings, {
      log: { debug: (message, fields) => lines.push(`${message} ${JSON.stringify(fields)}`) },
    });
    await host.run(["echo", "hunter2-secret"], { stdin: "typed-secret" });
    await host.close();
    expect(lines.join("\n")).toContain("command");
    expect(lines.join("\n")).not.toMatch(/hunter2-secret|typed-secret/);
  });

  it("refuses a NUL byte and an empty command", async () => {
    const host = hostFor(server);
    await expect(host.run(["echo", "a\0b"])).rejects.toMatchObject({ kind: "InvalidInput" });
    await expect(host.run([])).rejects.toMatchObject({ kind: "InvalidInput" });
    expect(host.stats().dials).toBe(0);
  });
});
