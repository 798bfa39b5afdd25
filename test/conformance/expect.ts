import { strict as assert } from "node:assert";
import { HalfMadeError } from "../../src/backend/index.ts";
import { type ErrorKind, isStorageError, type StorageError } from "../../src/contract/index.ts";

/** The storage error that `work` ends with; what a half-made object is reported with counts as its cause. */
export async function refusal(
  work: Promise<unknown>,
  kinds: ErrorKind | readonly ErrorKind[],
  ...named: readonly string[]
): Promise<StorageError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => (reason instanceof HalfMadeError ? reason.cause : reason),
  );
  const wanted = [kinds].flat();
  assert.ok(error !== undefined, `it was not refused with ${wanted.join(" or ")}`);
  if (!isStorageError(error)) throw error;
  assert.ok(
    wanted.includes(error.kind),
    `${error.kind} in place of ${wanted.join(" or ")}: ${error.message}`,
  );
  for (const name of named) {
    assert.ok(error.message.includes(name), `"${error.message}" does not name ${name}`);
  }
  return error;
}

/** A record that is known to be there. */
export function present<T>(found: T | undefined, what: string): T {
  assert.ok(found !== undefined, `${what} is not there`);
  return found;
}
