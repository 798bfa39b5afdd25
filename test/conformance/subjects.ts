import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedHost } from "../../src/embedded-host/index.ts";
import { openHost } from "../../src/ssh/index.ts";
import { ensureLab, someoneIsThere } from "../lab/availability.ts";
import type { Availability } from "../support/availability.ts";
import { ensurePackages } from "../support/packages.ts";
import type { Clause } from "./clauses.ts";
import { type LazyGround, labConsumers } from "./ground.ts";
import { type LabTarget, labStorages, openLabSubject, type PrepareStorage } from "./lab-subjects.ts";
import { localConsumer } from "./local-consumer.ts";
import { type FileStorageOptions, fileStorage } from "./storage/file.ts";
import type { Subject } from "./subject.ts";

/** Why a clause is not shown. It is printed, and counts as no failure. */
export type Gaps = Readonly<Partial<Record<Clause, string>>>;

/** A driver with a target, before there is a host for it. */
export interface SubjectDefinition {
  readonly driver: string;
  readonly target: string;
  /** How many machines use its volumes. */
  readonly consumers: number;
  readonly scope: Scope;
  /** Freed space keeps what was in it unless the driver clears it. */
  readonly clearsFreedSpace: boolean;
  readonly gaps: Gaps;
  readonly needsLab: boolean;
  /**
   * Subjects of one lane follow each other on the same machines; lanes run beside each other. Each lane of the lab has a
   * test file of its own.
   */
  readonly lane: string;
  /** Whether it can be had on this machine. */
  available(): Promise<Availability>;
  open(ground: LazyGround): Promise<Subject>;
}

/**
 * `storage`: all but what depends on how volumes are reached. `connections`: what depends on how volumes are reached. Allocation
 * knows nothing of that, and is shown with another target of the same driver. `variant`: what depends on how space is
 * allocated; the rest is the same code, and is shown with another kind of volumes of the same driver. `combination`: what
 * takes driver and target together; the target's own part is shown with another driver.
 */
export type Scope = "everything" | "storage" | "connections" | "variant" | "combination";

const later: Gaps = {
  "CFS-2": "no driver replicates yet",
  "RTY-1": "no driver changes it in place; a volume that moves becomes what is asked for there",
};

const noInitiatorData: Gaps = { "CON-3": "no target keeps anything for an initiator" };

const noLastSnapshot: Gaps = { "DEL-4": "a copy-on-write snapshot goes with its volume" };

const fileKinds = {
  thin: { format: "raw", provisioning: "thin" },
  thick: { format: "raw", provisioning: "thick" },
  qcow2: { format: "qcow2", provisioning: "thin" },
} as const satisfies Record<string, FileStorageOptions>;

/** Every driver with every target that it is tested with: a new driver joins by a line. */
export const subjects: readonly SubjectDefinition[] = [
  fileOnThisMachine("file", fileKinds.thin, fileKinds.thick),
  fileOnThisMachine("file-thick", fileKinds.thick, fileKinds.thin),
  fileOnThisMachine("file-qcow2", fileKinds.qcow2, fileKinds.thin),
  inLab("lvm-thin", "local", { lane: "lab 1", scope: "storage", storage: labStorages.thin }),
  inLab("lvm-thick", "iscsi", { lane: "lab 1", scope: "combination", storage: labStorages.thick }),
  inLab("lvm-thick", "nvmet", { lane: "lab 1", scope: "combination", storage: labStorages.thick }),
  inLab("lvm-thin", "iscsi", { lane: "lab 2", scope: "connections", storage: labStorages.thin }),
  inLab("lvm-thin", "nvmet", { lane: "lab 2", scope: "connections", storage: labStorages.thin }),
  inLab("lvm-thick", "local", { lane: "lab 3", scope: "variant", storage: labStorages.thick }),
  inLab("file", "iscsi", { lane: "lab 3", scope: "combination", storage: labStorages.file }),
  inLab("file", "nvmet", { lane: "lab 3", scope: "combination", storage: labStorages.file }),
];

function inLab(
  driver: string,
  target: LabTarget,
  options: { readonly lane: `lab ${1 | 2 | 3}`; readonly scope: Scope; readonly storage: PrepareStorage },
): SubjectDefinition {
  const { lane, scope, storage } = options;
  return {
    driver,
    target,
    consumers: target === "local" ? 1 : labConsumers,
    scope,
    clearsFreedSpace: driver === "lvm-thick",
    gaps: { ...later, ...noInitiatorData, ...(driver === "lvm-thick" ? noLastSnapshot : {}) },
    needsLab: true,
    lane,
    available: () => ensureLab({ mayInstall: !someoneIsThere() }),
    open: async (ground) => openLabSubject(driver, target, storage, await ground.get()),
  };
}

function fileOnThisMachine(
  driver: string,
  options: FileStorageOptions,
  others: FileStorageOptions,
): SubjectDefinition {
  return {
    driver,
    target: "local",
    consumers: 1,
    scope: "everything",
    clearsFreedSpace: false,
    gaps: { ...later, ...noInitiatorData },
    needsLab: false,
    lane: driver,
    available: () =>
      ensurePackages(options.format === "qcow2" ? ["qemu-utils", "util-linux"] : ["util-linux"]),
    async open() {
      const directory = realpathSync(mkdtempSync(join(tmpdir(), "breezeblock-conformance-")));
      const server = await startEmbeddedHost({ directory });
      const hostSettings = {
        name: "storage",
        address: server.address,
        port: server.port,
        user: server.user,
        auth: { privateKeyFile: server.privateKeyFile },
        hostKeys: { pinned: [server.hostKey] },
      };
      const host = openHost(hostSettings);
      const volumes = join(directory, "volumes");
      const elsewhere = join(directory, "elsewhere");
      await host.run(["mkdir", volumes, elsewhere]);
      const storage = fileStorage(host, volumes, options);
      return {
        driver,
        target: "local",
        parts: { technology: storage.technology },
        storage,
        elsewhere: fileStorage(host, elsewhere, others),
        hostSettings,
        isSlow: false,
        host,
        consumers: [localConsumer(hostname(), host)],
        async close() {
          await host.close();
          await server.stop();
          rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
        },
      };
    },
  };
}
