import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { tempDirectory } from "../support/temp-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { hostFor, type Server, serverKinds, settingsFor, startServer } from "./hosts.ts";

const kinds = serverKinds.map((kind) => ({ kind }));
const clientFile = fileURLToPath(new URL("./client.ts", import.meta.url));

/** Another process that uses the host; killed at the test's end at the latest. */
function startClient(server: Server, use: "lock" | "job", argument: object) {
  const client = spawn(
    process.execPath,
    [clientFile, use, JSON.stringify(settingsFor(server)), JSON.stringify(argument)],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => client.once("exit", () => resolve()));
  onTestFinished(() => {
    client.kill("SIGKILL");
  });
  const kill = async () => {
    client.kill("SIGKILL");
    await ended;
  };
  return { kill };
}

describe.each(kinds)("locks over $kind", ({ kind }) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(kind);
  });
  afterAll(() => server.stop());

  it("exclude each other on one connection and across connections", async () => {
    const lock = `${tempDirectory()}/lock`;
    const hosts = [hostFor(server), hostFor(server)];
    let inside = 0;
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        hosts[index % 2]?.withLock(lock, {}, async (locked) => {
          expect(++inside).toBe(1);
          await locked.run(["true"]);
          inside--;
        }),
      ),
    );
  });

  it("are given up when the use fails, and then refuse further commands", async () => {
    const host = hostFor(server);
    const lock = `${tempDirectory()}/lock`;
    let kept: { run(argv: readonly string[]): Promise<unknown> } | undefined;
    const failing = host.withLock(lock, {}, async (locked) => {
      kept = locked;
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    await expect(kept?.run(["true"])).rejects.toMatchObject({ kind: "BackendUnreachable" });
    expect(await host.withLock(lock, { waitMs: 0 }, async () => "free")).toBe("free");
  });

  it("can be waited for in vain, or no longer", async () => {
    const lock = `${tempDirectory()}/lock`;
    const [holder, waiter] = [hostFor(server), hostFor(server)];
    await holder.withLock(lock, {}, async () => {
      for (const host of [holder, waiter]) {
        await expect(host.withLock(lock, { waitMs: 200 }, async () => {})).rejects.toMatchObject({
          kind: "VolumeBackendError",
          message: expect.stringContaining(lock),
        });
        const abort = new AbortController();
        const waiting = host.withLock(lock, { signal: abort.signal }, async () => {});
        waiting.catch(() => {});
        abort.abort();
        await expect(waiting).rejects.toMatchObject({ kind: "Cancelled" });
      }
    });
  });

  it("need a directory", async () => {
    const host = hostFor(server);
    await expect(host.withLock("/nonexistent/lock", {}, async () => {})).rejects.toMatchObject({
      kind: "VolumeBackendError",
      message: expect.stringContaining("/nonexistent/lock"),
    });
  });

  it("stay with a command that outlives its client", async () => {
    const directory = tempDirectory();
    const lock = `${directory}/lock`;
    const client = startClient(server, "lock", {
      lock,
      started: `${directory}/started`,
      stop: `${directory}/stop`,
    });
    await waitFor("The start of the command under the lock", () => existsSync(`${directory}/started`));
    await client.kill();
    const host = hostFor(server);
    await expect(host.withLock(lock, { waitMs: 200 }, async () => {})).rejects.toMatchObject({
      kind: "VolumeBackendError",
    });
    await host.run(["touch", `${directory}/stop`]);
    expect(await host.withLock(lock, { waitMs: 20_000 }, async () => "mine")).toBe("mine");
  });

  it("are in doubt when their shell is killed, for the command that ran; later ones do not start", async () => {
    const host = hostFor(server);
    const lock = `${tempDirectory()}/lock`;
    await host.withLock(lock, {}, async (locked) => {
      await expect(locked.run(["sh", "-c", "kill -9 $PPID"])).rejects.toMatchObject({
        kind: "OperationInDoubt",
      });
      await expect(locked.run(["true"])).rejects.toMatchObject({ kind: "BackendUnreachable" });
    });
    expect(await host.withLock(lock, { waitMs: 20_000 }, async () => "free")).toBe("free");
  });
});

describe.each(kinds)("jobs over $kind", ({ kind }) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(kind);
  });
  afterAll(() => server.stop());

  /** Counts its starts in `starts`, ends with status 3 once there is `stop`. */
  const countingJob = (directory: string) => ({
    id: "copy-1",
    directory,
    argv: [
      "sh",
      "-c",
      'echo start >>"$1/starts"; until [ -e "$1/stop" ]; do sleep 0.05; done; echo out; echo err >&2; exit 3',
      "sh",
      directory,
    ],
  });

  it("run once, whoever asks, and keep their result until they are forgotten", async () => {
    const directory = tempDirectory();
    const job = countingJob(directory);
    const hosts = [hostFor(server), hostFor(server)];
    const asked = [0, 1, 0].map((index) => hosts[index]?.runJob(job));
    const [host = hostFor(server)] = hosts;
    await waitFor("The start of the job", () => existsSync(`${directory}/starts`));
    await expect(host.forgetJob(job)).rejects.toMatchObject({ kind: "VolumeBackendError" });
    await expect(host.runJob({ ...job, argv: ["true"] })).rejects.toMatchObject({
      kind: "VolumeBackendError",
    });
    await host.run(["touch", `${directory}/stop`]);
    const result = { exitCode: 3, stdout: Buffer.from("out\n"), stderr: Buffer.from("err\n") };
    expect(await Promise.all(asked)).toEqual([result, result, result]);
    expect(await host.runJob(job)).toEqual(result);
    expect(readFileSync(`${directory}/starts`, "utf8")).toBe("start\n");
    expect(await host.runJob({ ...job, argv: ["true"] })).toMatchObject({ exitCode: 0 });
    await host.forgetJob(job);
    await host.forgetJob(job);
    expect(readdirSync(directory).sort()).toEqual(["starts", "stop"]);
    await host.runJob(job);
    expect(readFileSync(`${directory}/starts`, "utf8")).toBe("start\nstart\n");
  });

  it("tell how far they are, to whoever waits", async () => {
    const directory = tempDirectory();
    const host = hostFor(server);
    const script =
      'echo begun; printf "1 of 2\\r2 of"; until [ -e "$1/stop" ]; do sleep 0.05; done; echo " 2"';
    const job = { id: "copy-2", directory, argv: ["sh", "-c", script, "sh", directory] };
    const lines: string[] = [];
    const running = host.runJob(job, { onProgress: (line) => lines.push(line) });
    await waitFor("The progress of the job", () => lines.length > 0);
    await host.run(["touch", `${directory}/stop`]);
    expect((await running).exitCode).toBe(0);
    expect(lines).toEqual(["1 of 2"]);
  });

  it("survive their client and are joined by the next", async () => {
    const directory = tempDirectory();
    const job = countingJob(directory);
    const client = startClient(server, "job", job);
    await waitFor("The start of the job", () => existsSync(`${directory}/starts`));
    await client.kill();
    const host = hostFor(server);
    const joined = host.runJob(job);
    await host.run(["touch", `${directory}/stop`]);
    expect((await joined).exitCode).toBe(3);
    expect(readFileSync(`${directory}/starts`, "utf8")).toBe("start\n");
  });

  it("are left running when the wait is aborted", async () => {
    const directory = tempDirectory();
    const job = countingJob(directory);
    const host = hostFor(server);
    const abort = new AbortController();
    const waiting = host.runJob(job, { action: "copy a volume", signal: abort.signal });
    waiting.catch(() => {});
    await waitFor("The start of the job", () => existsSync(`${directory}/starts`));
    abort.abort();
    await expect(waiting).rejects.toMatchObject({
      kind: "Cancelled",
      // In the words of who waits, not by the names of our files.
      message: expect.stringMatching(/^Unable to copy a volume.*goes on\. Running it again joins it/),
    });
    await host.run(["touch", `${directory}/stop`]);
    expect((await host.runJob(job)).exitCode).toBe(3);
    expect(readFileSync(`${directory}/starts`, "utf8")).toBe("start\n");
  });

  it("are ended where they are to be forgotten, with all that they started", async () => {
    const directory = tempDirectory();
    const host = hostFor(server);
    const argv = [
      "sh",
      "-c",
      'echo $$ >"$1/group"; sh -c "exec 7>&-; sleep 1000" & wait; sleep 1000',
      "sh",
      directory,
    ];
    const job = { id: "endless", directory, argv };
    const abort = new AbortController();
    const waiting = host.runJob(job, { signal: abort.signal });
    waiting.catch(() => {});
    await waitFor("The start of the job", () => existsSync(`${directory}/group`));
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ kind: "Cancelled" });
    await expect(host.forgetJob(job)).rejects.toThrow("still running");
    await host.forgetJob(job, { stop: true });
    expect(readdirSync(directory)).toEqual(["group"]);
    const { stdout } = await host.run(["ps", "-A", "-o", "stat=,args="]);
    const alive = stdout
      .toString()
      .split("\n")
      .filter((line) => !line.startsWith("Z"));
    expect(alive.filter((line) => line.includes(directory))).toEqual([]);
    await host.forgetJob(job, { stop: true });
    await host.forgetJob({ id: "endless", directory: `${directory}/none` });
  });

  it("are started again when they were lost without a result", async () => {
    const directory = tempDirectory();
    const host = hostFor(server);
    // The first start kills the job's whole group, as a reboot would.
    const argv = [
      "sh",
      "-c",
      'echo start >>"$1/starts"; [ "$(wc -l <"$1/starts")" -gt 1 ] || kill -9 0; echo done',
      "sh",
      directory,
    ];
    expect((await host.runJob({ id: "lost", directory, argv })).stdout.toString()).toBe("done\n");
    expect(readFileSync(`${directory}/starts`, "utf8")).toBe("start\nstart\n");
  });

  it("keep the end of long output", async () => {
    const directory = tempDirectory();
    const host = hostFor(server);
    const { stdout } = await host.runJob({
      id: "long",
      directory,
      argv: ["sh", "-c", "head -c 1000000 /dev/zero; echo end"],
    });
    expect(stdout.length).toBe(65_536);
    expect(stdout.subarray(-4).toString()).toBe("end\n");
  });

  it("refuse names that are none, and directories that are not there", async () => {
    const host = hostFor(server);
    for (const id of ["", "a/b", "a b", "é"]) {
      await expect(host.runJob({ id, directory: "/tmp", argv: ["true"] })).rejects.toMatchObject({
        kind: "InvalidInput",
      });
    }
    await expect(host.runJob({ id: "a", directory: "/nonexistent", argv: ["true"] })).rejects.toMatchObject({
      kind: "VolumeBackendError",
    });
  });
});
