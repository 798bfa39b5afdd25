import { spawnSync } from "node:child_process";
import { createVolume, Fleet } from "../../src/backend/index.ts";
import { type Comparison, compare, timed } from "./measure.ts";
import { hostSettings, withStorageHost } from "./storage-host.ts";
import { shellLoop } from "./terraform.ts";

const count = 100;

/** Creating 100 volumes over SSH, ten at a time as engines do, against a careful shell loop on the host. */
export async function benchCreateOverSsh(): Promise<readonly Comparison[]> {
  return [
    await compare(
      {
        what: `Creating ${count} volumes over SSH / shell loop on the host`,
        ours: "over SSH",
        baseline: "shell loop",
      },
      5,
      () =>
        withStorageHost(async (host) => {
          const fleet = new Fleet({
            owner: "bench",
            defaultLabels: {},
            deletionProtection: false,
            hosts: { bench: hostSettings(host) },
            backends: [
              {
                name: "bench",
                aliases: [],
                host: "bench",
                unreachable: "error",
                technology: { technology: "file", directory: `${host.directory}/volumes`, format: "raw" },
              },
            ],
          });
          try {
            return await timed(() => createAll(fleet));
          } finally {
            await fleet.close();
          }
        }),
      () =>
        withStorageHost((host) =>
          timed(async () => {
            const { status } = spawnSync("sh", [
              "-c",
              shellLoop,
              "sh",
              `${host.directory}/volumes`,
              String(count),
            ]);
            if (status !== 0) throw new Error(`the shell loop ended with ${status}`);
          }),
        ),
    ),
  ];
}

async function createAll(fleet: Fleet): Promise<void> {
  const backend = fleet.backend("bench", []);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      await createVolume(
        backend,
        {
          name: `bench-${index}`,
          namePrefix: null,
          sizeBytes: 1024 ** 3,
          source: null,
          pool: null,
          provisioning: "thin",
          multiattach: false,
          labels: { purpose: "bench" },
          defaultLabels: {},
          deletionProtection: false,
          settings: {},
        },
        undefined,
      );
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
}
