import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructLibraries } from "../../providers/cdk/index.ts";
import { registryHosts } from "../../providers/terraform/names.ts";
import { buildConstructs } from "../../scripts/build-constructs.ts";
import { buildTerraformProvider, repositoryFile } from "../../scripts/build-terraform.ts";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { StorageHost } from "../support/storage.ts";
import { makeTempDirectory, removeDirectory, tempDirectory } from "../support/temp-directory.ts";
import { TerraformWorkspace, terraformEngines } from "../support/terraform.ts";
import { copyExample } from "./example-files.ts";

const execute = promisify(execFile);
let host: StorageHost;
/** What npm would install, in `node_modules`, and a mirror with the provider, in `mirror`. */
let packages: string;

beforeAll(async () => {
  host = await StorageHost.start();
  packages = makeTempDirectory();
  await buildMirror(join(packages, "mirror"));
  const installed = join(packages, "node_modules/breezeblock");
  mkdirSync(installed, { recursive: true });
  cpSync(repositoryFile("package.json"), join(installed, "package.json"));
  await buildConstructs(join(installed, "dist/cdk"));
  for (const library of [...constructLibraries, "constructs", "@types"]) {
    symlinkSync(repositoryFile(`node_modules/${library}`), join(packages, "node_modules", library));
  }
});

afterAll(async () => {
  await host?.stop();
  if (packages !== undefined) removeDirectory(packages);
});

/** A stack has a backend, and so needs `init`, and so a place to install the provider from. */
async function buildMirror(mirror: string): Promise<void> {
  const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
  const outfile = join(packages, "terraform-provider-breezeblock_v0.1.0");
  await buildTerraformProvider({ entry: repositoryFile("providers/terraform/main.ts"), outfile });
  for (const registry of registryHosts) {
    const directory = join(mirror, registry, "breezeblock/breezeblock/0.1.0", platform);
    mkdirSync(directory, { recursive: true });
    cpSync(outfile, join(directory, "terraform-provider-breezeblock_v0.1.0"));
  }
}

describe.each(constructLibraries)("examples/quickstart/constructs with %s", (library) => {
  /** The example, synthesized: the directory of its stack. */
  async function synthesized(volumes: string): Promise<string> {
    const directory = tempDirectory();
    copyExample("quickstart/constructs", directory);
    symlinkSync(join(packages, "node_modules"), join(directory, "node_modules"));
    const main = join(directory, "main.ts");
    writeFileSync(main, readFileSync(main, "utf8").replaceAll("cdktn", library));
    writeFileSync(
      join(directory, "storage.json"),
      JSON.stringify({ host: host.settings, directory: volumes, size: 1 }),
    );
    await execute(process.execPath, ["main.ts"], { cwd: directory });
    return directory;
  }

  test("its types are right", async () => {
    const directory = await synthesized("/srv/volumes");
    const compilerOptions = {
      strict: true,
      module: "nodenext",
      target: "es2022",
      noEmit: true,
      types: ["node"],
    };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
    const tsc = repositoryFile("node_modules/typescript/bin/tsc");
    const { stdout } = await execute(process.execPath, [tsc, "-p", directory]).catch((error) => error);
    expect(stdout).toBe("");
  });

  for (const engine of terraformEngines) {
    const found = findEngine(engine);
    test.skipIf(!found.available)(
      titled(`synthesized, planned, applied and destroyed by ${engine}`, found),
      async () => {
        const storage = host.newDirectory();
        const directory = join(await synthesized(storage.path), "cdktf.out/stacks/storage");
        const stack = new TerraformWorkspace({
          engine,
          provider: { mirror: join(packages, "mirror") },
          directory,
        });
        stack.write("", "versions.tf");
        const installed = await stack.init();
        expect(installed.exitCode, installed.text).toBe(0);
        const created = await stack.actions();
        expect(Object.values(created)).toEqual(["create", "create", "create", "create"]);
        await stack.applied();
        expect(storage.names()).toEqual(["data", "restored"]);
        expect(storage.object("data").labels).toEqual({ app: "postgres", tier: "gold" });
        await stack.expectNoChanges();
        await stack.destroyed();
        expect(storage.leftBehind()).toEqual([]);
      },
    );
  }
});
