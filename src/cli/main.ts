#!/usr/bin/env node
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { runCli } from "./cli.ts";

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
});

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // The end of the input is no answer.
    const ended = once(terminal, "close").then(() => "");
    return await Promise.race([terminal.question(question), ended]);
  } finally {
    terminal.close();
  }
}
