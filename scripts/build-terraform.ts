import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

export interface TerraformBuild {
  /** The program, such as `providers/terraform/main.ts`. */
  readonly entry: string;
  readonly outfile: string;
}

/**
 * Bundles a provider program into one executable file, which is three things in one:
 *
 * 1. A shell script of two lines that hands the file over to Node.js.
 * 2. In its third line, to JavaScript a comment: what the program needs until the engine has read the handshake.
 * 3. From there on, a CommonJS module with all that the program imports dynamically, which is loaded after the handshake.
 */
export async function buildTerraformProvider({ entry, outfile }: TerraformBuild): Promise<void> {
  const deferred: string[] = [];
  const handshake = await bundle({ entryPoints: [entry], plugins: [defer(deferred)] });
  const modules = deferred.map((path) => `() => require(${JSON.stringify(path)})`);
  const rest = await bundle({
    stdin: { contents: `module.exports = [${modules.join(", ")}];`, resolveDir: dirname(resolve(entry)) },
    // The native helpers of ssh2, which goes without where they cannot be loaded.
    external: ["*.node"],
  });
  const start = handshake.trimEnd();
  if (start.includes("\n") || start.length > handshakeLimit) {
    throw new Error(
      `What ${entry} needs for the handshake must fit into one line of ${handshakeLimit} characters.`,
    );
  }
  await mkdir(dirname(outfile), { recursive: true });
  await writeFile(outfile, `${launcher}//${start}\n${rest}`);
  await chmod(outfile, 0o755);
}

export function repositoryFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    target: "node22.12",
    // `import` of a module in the same file is only a `require` that comes later, and templates could hold line breaks.
    supported: { "dynamic-import": false, "template-literal": false },
    minify: true,
    legalComments: "none",
    logLevel: "error",
  });
  const [file] = outputFiles ?? [];
  if (file === undefined) throw new Error("esbuild wrote nothing.");
  return file.text;
}

/** Leaves out what is imported dynamically, and notes where it is; the launcher's `require` knows it by its number. */
function defer(deferred: string[]): Plugin {
  return {
    name: "defer",
    setup: ({ onResolve }) => {
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind !== "dynamic-import") return undefined;
        const number = deferred.push(resolve(resolveDir, path)) - 1;
        return { path: `deferred:${number}`, external: true };
      });
    },
  };
}

/** Of the launcher and the line after it, with room to spare. */
const handshakeLimit = 60_000;

/**
 * A plain `#!/usr/bin/env node` would not do: below a package.json that says `"type": "module"`, as in any modern TypeScript
 * project that keeps its `.terraform` directory, Node.js refuses to run a file whose name ends in `_v1.2.3`. `require` does not.
 * What is missing is said to an engine on standard output: of a plugin that does not start, engines show that, and no more.
 * And so the version is checked before anything is parsed that an old Node.js could not read. ES5, without single quotes.
 *
 * The new generation of objects is kept small, because buffers that are done with are freed with it only: an image that is
 * sent would otherwise leave 80 MB of them behind at any time.
 */
const boot = `
var v=process.versions.node.split(".").map(Number);
if(v[0]<22||v[0]===22&&v[1]<12){
var m="breezeblock needs Node.js 22.12 or later; the node on PATH is "+process.version+".\\n";
(process.env.TF_PLUGIN_MAGIC_COOKIE?process.stdout:process.stderr).write(m);
process.exit(1)}
var fs=require("node:fs"),f=require("node:path").resolve(process.argv[1]),d=fs.openSync(f),b=Buffer.alloc(65536);
fs.readSync(d,b);fs.closeSync(d);
var rest=function(){
var e=process.env,h=e.HOME,c=e.XDG_CACHE_HOME||h&&h+(process.platform==="darwin"?"/Library/Caches":"/.cache");
if(c)require("node:module").enableCompileCache(c+"/breezeblock");
return(rest=function(){return r}),r=require(f)},r;
new Function("require",b.toString().split("\\n")[2].slice(2))(function(i){
return i.indexOf("deferred:")===0?rest()[+i.slice(9)]():require(i)})
`.replaceAll("\n", "");

const missing = "breezeblock needs Node.js 22.12 or later; there is no node on PATH.";
const launcher =
  `#!/bin/sh\n":" //; command -v node >/dev/null || { test "$TF_PLUGIN_MAGIC_COOKIE" || exec >&2; echo "${missing}"; exit 1; }; ` +
  `exec node --max-semi-space-size=2 -e '${boot}' "$0" "$@"\n`;
