import type { Backend } from "./backend.ts";

/** Volumes that a state holds as imported, and that are not adopted yet: nothing of ours is on them. */
const unclaimed = new WeakMap<Backend, Set<string>>();

/** Tells of such a volume. No I/O. */
export function noteUnclaimed(backend: Backend, uuid: string): void {
  const ids = unclaimed.get(backend) ?? new Set();
  unclaimed.set(backend, ids.add(uuid));
}

/** Whether a volume that is not there may be one of these. */
export function isUnclaimed(backend: Backend, uuid: string): boolean {
  return unclaimed.get(backend)?.has(uuid) === true;
}
