// Plain JavaScript without dependencies: it runs before anything is installed, on Node 20 too.
import { spawnSync } from "node:child_process";
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
  quickstart: [buildIfStale, ["node", "scripts/quickstart.ts"]],
  bench: [buildIfStale, ["node", "test/bench/main.ts"]],
};

const [task, ...rest] = process.argv.slice(2);
const steps = Object.hasOwn(tasks, task ?? "") ? tasks[task] : undefined;
if (steps === undefined) {
  console.error(`Usage: npm run <task>, with one of: ${Object.keys(tasks).join(", ")}.`);
  process.exit(2);
}
setUp(root);
steps.forEach((step, index) => {
  if (typeof step === "function") step();
  else run(index === steps.length - 1 ? [...step, ...rest] : step);
});

function run([command, ...args]) {
  const result = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, PATH: `${binDirectory(root)}${delimiter}${process.env.PATH}` },
    stdio: "inherit",
  });
  if (result.status === 0) return;
  if (result.error !== undefined) console.error(`${command}: ${result.error.message}`);
  process.exit(result.status ?? 1);
}

function build() {
  const started = new Date();
  run(["node", "scripts/build.ts"]);
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(stampFile(), "");
  // A file saved during the build is newer than this.
  utimesSync(stampFile(), started, started);
}

function buildIfStale() {
  const inputs = ["src", "resources", "providers", "scripts", "package.json", "package-lock.json"];
  const built = statSync(stampFile(), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (inputs.some((input) => newest(join(root, input)) > built)) build();
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
