// Plain JavaScript without dependencies: it runs before anything is installed, on Node 20 too.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { binDirectory, setUp } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each npm script does, step by step; the script's own arguments go to the last step. */
const tasks = {
  build: [build],
  generate: [["node", "scripts/generate.ts"]],
  lint: [["biome", "check"]],
  format: [["biome", "check", "--write"]],
  check: [
    ["tsc", "-p", "."],
    ["biome", "check"],
    ["node", "scripts/generate.ts", "--check"],
    ["vitest", "run", "--project", "unit"],
  ],
  test: [
    ["tsc", "-p", "."],
    ["biome", "check"],
    ["node", "scripts/generate.ts", "--check"],
    buildIfStale,
    ["vitest", "run"],
  ],
  quickstart: [buildIfStale, ["node", "scripts/quickstart/main.ts"]],
  conformance: [["node", "test/conformance/main.ts"]],
  bench: [buildIfStale, ["node", "test/bench/main.ts"]],
  lab: [["node", "test/lab/cli.ts"]],
};

const [task, ...rest] = process.argv.slice(2);
const steps = Object.hasOwn(tasks, task ?? "") ? tasks[task] : undefined;
if (steps === undefined) {
  console.error(`Usage: npm run <task>, with one of: ${Object.keys(tasks).join(", ")}.`);
  process.exit(2);
}
setUp(root);
for (const [index, step] of steps.entries()) {
  if (typeof step === "function") await step();
  else await run(index === steps.length - 1 ? [...step, ...rest] : step);
}

async function run([command, ...args]) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, PATH: `${binDirectory(root)}${delimiter}${process.env.PATH}` },
    stdio: "inherit",
  });
  // A terminal's Ctrl-C reaches the command by itself; it is waited for while it tidies up. The others are handed on.
  const wait = () => {};
  const handOn = (signal) => child.kill(signal);
  process.on("SIGINT", wait);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, handOn);
  const status = await new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
  process.off("SIGINT", wait);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.off(signal, handOn);
  if (status !== 0) process.exit(status);
}

async function build() {
  const started = new Date();
  await run(["node", "scripts/build.ts"]);
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(stampFile(), "");
  // A file saved during the build is newer than this.
  utimesSync(stampFile(), started, started);
}

async function buildIfStale() {
  const inputs = ["src", "resources", "providers", "scripts", "package.json", "package-lock.json"];
  const built = statSync(stampFile(), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (inputs.some((input) => newest(join(root, input)) > built)) await build();
}

function stampFile() {
  return join(root, "dist", ".built");
}

/** The latest change below `path`, in ms; a directory's own time tells of files that were removed. */
function newest(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
