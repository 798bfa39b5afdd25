import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildTerraformProvider } from "../../scripts/build-terraform.ts";
import type { EmbeddedHost } from "../../src/embedded-host/index.ts";
import { findEngine } from "../support/engines.ts";
import { type Comparison, compare, timed } from "./measure.ts";
import { providerExecutable } from "./provider.ts";
import { withDirectory, withStorageHost } from "./storage-host.ts";

const volumes = 1_000;
const rounds = 5;

/** No-op plan and refresh of 1,000 volumes, against the same engine with a provider whose hooks do nothing. */
export async function benchTerraform(engine: "terraform" | "tofu"): Promise<readonly Comparison[]> {
  return withDirectory((directory) =>
    withStorageHost(async (host) => {
      const idleExecutable = join(directory, "idle", basename(providerExecutable()));
      await buildTerraformProvider({
        entry: join(import.meta.dirname, "idle-provider-main.ts"),
        outfile: idleExecutable,
      });
      const ours = workspace(engine, join(directory, "ours-work"), dirname(providerExecutable()), host);
      const idle = workspace(engine, join(directory, "idle-work"), dirname(idleExecutable), host);
      const configuration = volumeBlock(volumes);
      for (const run of [ours, idle]) {
        run.write(configuration);
        await run.run("apply", "-auto-approve", "-no-color");
        // The first refresh acknowledges what was created; the ones measured only read.
        await run.run("refresh", "-no-color");
      }
      const step = (what: string, ...args: readonly string[]) =>
        compare(
          {
            what: `${engine}: ${what} of ${volumes} volumes / do-nothing provider`,
            ours: "breezeblock",
            baseline: "do-nothing provider",
            aim: 1.15,
          },
          rounds,
          () => timed(() => ours.run(...args)),
          () => timed(() => idle.run(...args)),
        );
      return [
        await step("no-op plan", "plan", "-detailed-exitcode", "-no-color"),
        await step("refresh", "apply", "-refresh-only", "-auto-approve", "-no-color"),
      ];
    }),
  );
}

/** Creating 100 volumes by the engine, against a loop of a careful shell script that does the same on the host. */
export async function benchCreate(engine: "terraform" | "tofu"): Promise<readonly Comparison[]> {
  const count = 100;
  const fresh = (what: (engineRun: ReturnType<typeof workspace>, host: EmbeddedHost) => Promise<number>) =>
    withDirectory((directory) =>
      withStorageHost((host) =>
        what(workspace(engine, join(directory, "work"), dirname(providerExecutable()), host), host),
      ),
    );
  return [
    await compare(
      {
        what: `${engine}: apply of ${count} new volumes / shell loop on the host`,
        ours: "apply",
        baseline: "shell loop",
      },
      3,
      () =>
        fresh((run) => {
          run.write(volumeBlock(count));
          return timed(() => run.run("apply", "-auto-approve", "-no-color"));
        }),
      () =>
        fresh((_run, host) =>
          timed(() => command("sh", ["-c", shellLoop, "sh", join(host.directory, "volumes"), String(count)])),
        ),
    ),
  ];
}

/** Data and metadata, each durable and moved into place: what a script has to do to be as safe. */
export const shellLoop = `set -e; cd -- "$1"; i=0
while [ $i -lt "$2" ]; do
  truncate -s 1G "volume-$i.new"; sync -- "volume-$i.new"; mv -- "volume-$i.new" "volume-$i.raw"
  printf '{"name":"bench-%s"}\\n' $i > "volume-$i.tmp"; sync -- "volume-$i.tmp"; mv -- "volume-$i.tmp" "volume-$i.json"
  sync -- .
  i=$((i + 1))
done`;

function volumeBlock(count: number): string {
  return `resource "breezeblock_volume" "bench" {
  count   = ${count}
  name    = "bench-\${count.index}"
  size    = 1
  backend = "bench"
  labels  = { purpose = "bench" }
}
`;
}

/** A working folder in which `engine` uses the provider in `directory`. */
function workspace(engine: "terraform" | "tofu", folder: string, directory: string, host: EmbeddedHost) {
  mkdirSync(folder, { recursive: true });
  const overrides = ["registry.terraform.io", "registry.opentofu.org"]
    .map((registry) => `"${registry}/breezeblock/breezeblock" = ${JSON.stringify(directory)}`)
    .join("\n");
  writeFileSync(
    join(folder, "cli.tfrc"),
    `provider_installation {\ndev_overrides {\n${overrides}\n}\ndirect {}\n}\n`,
  );
  writeFileSync(
    join(folder, "provider.tf"),
    `terraform {
  required_providers {
    breezeblock = { source = "breezeblock/breezeblock" }
  }
}
provider "breezeblock" {
  owner = "bench"
  hosts = { bench = { address = "${host.address}", port = ${host.port}, user = "${host.user}", private_key_file = "${host.privateKeyFile}", host_key = "${host.hostKey}" } }
  backends = { bench = { host = "bench", file = { directory = "${host.directory}/volumes" } } }
}
`,
  );
  const environment = {
    ...process.env,
    TF_CLI_CONFIG_FILE: join(folder, "cli.tfrc"),
    CHECKPOINT_DISABLE: "1",
  };
  return {
    write: (text: string) => writeFileSync(join(folder, "main.tf"), text),
    run: (...args: readonly string[]) => command(findEngine(engine).path, args, folder, environment),
  };
}

function command(
  program: string,
  args: readonly string[],
  cwd?: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk;
    });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`${program} ${args.join(" ")} ended with ${code}: ${complaint}`)),
    );
  });
}
