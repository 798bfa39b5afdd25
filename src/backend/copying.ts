import { type JobSpec, StorageError } from "../contract/index.ts";
import type { Backend } from "./backend.ts";

/** Runs or rejoins the job that fills a new object, without holding the backend's lock. */
export async function runCopyJob(
  backend: Backend,
  job: JobSpec,
  action: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { exitCode, stderr } = await backend.host.runJob(job, { signal });
  if (exitCode === 0) return;
  throw new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: `Copying ended with exit status ${exitCode}: ${stderr.toString().trim() || "no message"}`,
    backend: backend.name,
    host: backend.host.host,
  });
}
