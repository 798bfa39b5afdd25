import {
  type ExportState,
  type Inventory,
  type JobReference,
  keepsLeftovers,
  type Leftover,
} from "../../contract/index.ts";
import { fillingJobs } from "../../images/index.ts";
import { type JobRecord, listJobs } from "../../ssh/index.ts";
import type { Backend, LockedBackend } from "../backend.ts";

/** Everything that is to be seen of one backend at one moment. */
export interface Evidence {
  readonly backend: string;
  /** Never empty: what has no owner carries no mark. */
  readonly owner: string;
  readonly inventory: Inventory;
  /** `null` where the target cannot be asked. */
  readonly exports: ReadonlyMap<string, ExportState> | null;
  readonly jobs: ReadonlyMap<string, JobRecord>;
  /** By the host's clock, in milliseconds since 1970; NaN where that is not known. */
  readonly hostNow: number;
  readonly leftovers: readonly Leftover[];
  /** Every job that may be working for the object of that id, whoever starts it. */
  jobsOf(id: string): readonly JobReference[];
  /** What the target knows an attachment's consumer by. */
  initiatorOf: Backend["target"]["initiatorOf"];
}

/** Looks at everything, under the backend's lock; changes nothing. */
export async function gather(backend: Backend, locked: LockedBackend): Promise<Evidence> {
  const { driver, target } = backend;
  const isExporting = await backend.targetReady().then(
    () => true,
    () => false,
  );
  const directories = new Set(driver.jobsOf("").map(({ directory }) => directory));
  const jobs = new Map<string, JobRecord>();
  let hostNow = Number.NaN;
  for (const directory of directories) {
    const listing = await listJobs(locked.executor, directory, locked.signal);
    hostNow = listing.now;
    for (const [id, record] of listing.jobs) jobs.set(id, record);
  }
  return {
    backend: backend.name,
    owner: backend.owner,
    inventory: locked.fresh,
    exports: isExporting ? await target.exports(locked) : null,
    jobs,
    hostNow,
    leftovers: keepsLeftovers(driver) ? await driver.leftovers(locked) : [],
    jobsOf: (id) => [
      ...driver.jobsOf(id),
      ...[...directories].flatMap((directory) => fillingJobs(id, directory)),
    ],
    initiatorOf: (connector) => target.initiatorOf(connector),
  };
}
