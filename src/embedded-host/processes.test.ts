import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { endProcesses, findProcesses, markerVariable } from "./processes.ts";

/** Starts `sh -c script` with `marker` and waits for the numbers that it prints, one line. */
async function start(script: string, marker: string): Promise<{ child: ChildProcess; pids: number[] }> {
  const child = spawn("sh", ["-c", script], {
    env: { PATH: process.env["PATH"], [markerVariable]: marker },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await new Promise<string[]>((resolve) =>
    createInterface(child.stdout).once("line", (text) => resolve([text])),
  );
  return { child, pids: (line ?? "").split(" ").map(Number) };
}

const hasProc = existsSync("/proc/self/environ");

describe.skipIf(!hasProc)(hasProc ? "processes" : "processes, left out: there is no /proc", () => {
  test("ends what is marked, in whatever session, and leaves others alone", async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    const one = await start("setsid sleep 60 >/dev/null & echo $$ $!; wait", mine);
    const two = await start("echo $$; exec sleep 60 >/dev/null", other);
    expect(await findProcesses(mine)).toEqual(expect.arrayContaining(one.pids));
    await endProcesses(mine, []);
    expect(await findProcesses(mine)).toEqual([]);
    expect(await findProcesses(other)).toEqual(two.pids);
  });

  test("finds the children of what is marked although they have no environment", async () => {
    const marker = randomUUID();
    const { pids } = await start("env -i sleep 60 >/dev/null & echo $$ $!; wait", marker);
    expect(await findProcesses(marker)).toEqual(expect.arrayContaining(pids));
    await endProcesses(marker, []);
    expect(await findProcesses(marker, pids)).toEqual([]);
  });

  test("lets a process tidy up, and kills one that will not go", async () => {
    const marker = randomUUID();
    const polite = await start("trap 'exit 7' TERM; echo $$; while :; do sleep 0.01; done", marker);
    const stubborn = await start("trap '' TERM; echo $$; while :; do sleep 0.01; done", marker);
    await endProcesses(marker, []);
    expect(await findProcesses(marker)).toEqual([]);
    expect([polite.child.exitCode, stubborn.child.signalCode]).toEqual([7, "SIGKILL"]);
  });
});
