import { join } from "node:path";
import { expectSuccess, PulumiWorkspace } from "../support/pulumi.ts";
import { packPackage } from "../support/pulumi-package.ts";
import { type Comparison, compare, timed } from "./measure.ts";
import { withStorageHost } from "./storage-host.ts";

const volumes = 1_000;
/** A preview of so many resources takes Pulumi half a minute whatever the provider does. */
const rounds = 3;

/** Preview and refreshing preview of 1,000 volumes without changes, against the same engine with hooks that do nothing. */
export async function benchPulumi(): Promise<readonly Comparison[]> {
  const idlePackage = await packPackage({ runtime: join(import.meta.dirname, "idle-pulumi.ts") });
  return withStorageHost(async (host) => {
    const ours = await PulumiWorkspace.create();
    const idle = await PulumiWorkspace.create({ tarball: idlePackage });
    try {
      const { address, port, user, privateKeyFile, hostKey } = host;
      ours.configure({
        "breezeblock:owner": "bench",
        "breezeblock:hosts": { bench: { address, port, user, privateKeyFile, hostKey } },
        "breezeblock:backends": {
          bench: { host: "bench", file: { directory: join(host.directory, "volumes") } },
        },
      });
      for (const workspace of [ours, idle]) workspace.program(program);
      // Writing the state at each of 1,000 steps would take minutes that are not measured.
      const fast = { PULUMI_SKIP_CHECKPOINTS: "true" };
      expectSuccess(await ours.run(["up", "--yes", "--skip-preview"], fast));
      // The first refresh acknowledges what was created; the ones measured only read.
      expectSuccess(await ours.refresh());

      // The very same state for both: as many bytes to read, compare and send.
      ours.write("state.json", await ours.export());
      idle.write("state.json", ours.read("state.json"));
      idle.write("Pulumi.dev.yaml", ours.read("Pulumi.dev.yaml"));
      expectSuccess(await idle.run(["stack", "import", "--file", "state.json"]));

      const step = (what: string, ...args: readonly string[]) => {
        const run = (workspace: PulumiWorkspace) =>
          timed(async () => expectSuccess(await workspace.run([...args, "--expect-no-changes"])));
        return compare(
          {
            what: `pulumi: ${what} of ${volumes} volumes / do-nothing provider`,
            ours: "breezeblock",
            baseline: "do-nothing provider",
            aim: 1.15,
          },
          rounds,
          () => run(ours),
          () => run(idle),
        );
      };
      return [
        await step("no-op preview", "preview"),
        await step("preview --refresh", "preview", "--refresh"),
      ];
    } finally {
      ours.remove();
      idle.remove();
    }
  });
}

const program = `
for (let index = 0; index < ${volumes}; index++) {
  new breezeblock.Volume("bench-" + index, {
    name: "bench-" + index, backend: "bench", size: 1, labels: { purpose: "bench" },
  });
}`;
