/**
 * The whole life of a volume, with a real engine and a storage host on this machine.
 *
 *     npm run quickstart [-- --engine terraform|tofu|pulumi] [--keep]
 *
 * Exit code 0: every step was proven; 1: one was not, or there is no engine; 2: bad arguments; 130: interrupted.
 */
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EmbeddedHost, startEmbeddedHost } from "../../src/embedded-host/index.ts";
import type { Engine, EngineSetting } from "./engine.ts";
import { type FoundEngine, findEngine } from "./find-engine.ts";
import { Narrator, QuickstartError } from "./narrator.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { startPulumi } from "./pulumi.ts";
import { StorageDirectory } from "./storage-directory.ts";
import { tellStory } from "./story.ts";
import { startTerraform } from "./terraform.ts";

const root = dirname(fileURLToPath(new URL("..", import.meta.url)));

/** Runs the quickstart and gives the exit code. */
async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "number") return options;
  let found: FoundEngine;
  try {
    found = findEngine(options.engine, process.env["PATH"] ?? "");
  } catch (error) {
    return complain(error, 1);
  }
  const interruption = interruptions();
  const directory = await realpath(await mkdtemp(join(tmpdir(), "breezeblock-quickstart-")));
  const narrator = new Narrator((text) => process.stdout.write(text), process.stdout.isTTY === true);
  let host: EmbeddedHost | undefined;
  let engine: Engine | undefined;
  try {
    host = await startEmbeddedHost({ directory: join(directory, "host") });
    engine = await start(found, directory, host, interruption);
    introduce(narrator, engine, host);
    const storage = new StorageDirectory(join(host.directory, "volumes"));
    await tellStory({ engine, storage, narrator });
    return 0;
  } catch (error) {
    if (interruption.aborted) {
      process.stderr.write("\nInterrupted; tidying up.\n");
      return 130;
    }
    if (!(error instanceof QuickstartError)) throw error;
    process.stderr.write(`\nThe quickstart stops here. ${error.message}\n`);
    return 1;
  } finally {
    await host?.stop();
    if (options.keep && host !== undefined && engine !== undefined) {
      explainKept(narrator, directory, host, engine);
    } else {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
      narrator.line("\nThe storage host has stopped; its directory and the working folder are removed.");
    }
  }
}

function readOptions(): Options | number {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== undefined) return options;
    process.stdout.write(usage);
    return 0;
  } catch (error) {
    return complain(error, 2);
  }
}

function complain(error: unknown, exitCode: number): number {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return exitCode;
}

/** Aborted by Ctrl-C and the like, and when nobody reads on: whatever is running then ends in good order. */
function interruptions(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // `on`, not `once`: a second Ctrl-C must not kill the process while it tidies up.
    process.on(signal, () => controller.abort());
  }
  process.stdout.on("error", () => controller.abort());
  return controller.signal;
}

async function start(
  { name, path }: FoundEngine,
  directory: string,
  host: EmbeddedHost,
  signal: AbortSignal,
): Promise<Engine> {
  const work = join(directory, "work");
  await mkdir(work);
  const setting: EngineSetting = {
    path,
    directory: work,
    host,
    volumes: join(host.directory, "volumes"),
    signal,
  };
  return name === "pulumi" ? startPulumi(setting) : startTerraform(name, setting);
}

function introduce(narrator: Narrator, engine: Engine, host: EmbeddedHost): void {
  narrator.line(`breezeblock with ${engine.title}`);
  narrator.line(`Storage host: ssh://${host.user}@${host.address}:${host.port}, run by this command, in`);
  narrator.line(`${host.directory}/volumes. It is reached by SSH, as any host would be.`);
}

function explainKept(narrator: Narrator, directory: string, host: EmbeddedHost, engine: Engine): void {
  narrator.line(`
Kept: the working folder and the storage host's directory, below ${directory}.
Start the host again, in a terminal of its own:

    cd ${root}
    node_modules/.bin/node src/cli/main.ts host --directory ${host.directory} --port ${host.port}

Then go on, in another one:

${engine.byHand.map((line) => `    ${line}\n`).join("")}
To remove it all: rm -rf ${directory}`);
}

process.exitCode = await main();
