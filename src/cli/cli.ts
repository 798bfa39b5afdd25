import { readFileSync } from "node:fs";
import { isStorageError } from "../contract/index.ts";
import { type Command, type Terminal, UsageError } from "./command.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { hostCommand } from "./commands/host.ts";

/** Every command there is, in the order of the help text. */
const commands: readonly Command[] = [doctorCommand, hostCommand];

/** Runs `breezeblock <args>` and gives its exit code: 0 done, 1 failed, 2 not understood. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.stderr(`breezeblock: ${error.message}.\nTry: breezeblock --help\n`);
      return 2;
    }
    if (!isStorageError(error)) throw error;
    terminal.stderr(`breezeblock: ${error.message}\n`);
    return 1;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version") {
    terminal.stdout(`${version()}\n`);
    return 0;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    terminal.stdout(overview());
    return 0;
  }
  if (name === undefined) throw new UsageError("a command is missing");
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    throw new UsageError(`there is no ${name.startsWith("-") ? "option" : "command"} "${name}"`);
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.stdout(command.help);
    return 0;
  }
  return command.run(rest, terminal);
}

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const list = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `Usage: breezeblock <command> [options]

Declarative block storage on ordinary Linux hosts.

Commands:
${list.join("\n")}

  breezeblock <command> --help  explains a command
  breezeblock --version         prints the version
`;
}

function version(): string {
  // Two levels up is the package's root, from src/cli as from dist/cli.
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(file) as { version: string };
  return version;
}
