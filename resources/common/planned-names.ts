import type { Backend } from "../../src/backend/index.ts";
import { type ObjectRecord, StorageError } from "../../src/contract/index.ts";
import type { HookContext, PrivateData } from "../schema/index.ts";
import { toleratesAbsence } from "./objects.ts";

type Kind = "volume" | "snapshot";

/**
 * Part of planning a creation: refuses a name that another resource of the run has or gets, and sees to it that a
 * namesake in state is acknowledged on the host. At apply nothing tells of that namesake, and it must not look like an
 * unfinished create, which this one could take up as its own.
 */
export async function claimForCreation(
  context: HookContext,
  backend: Backend,
  kind: Kind,
  name: string,
  records: ReadonlyMap<string, ObjectRecord>,
  privateData: PrivateData,
): Promise<void> {
  const replaced = privateData["replaces"];
  const isReplacement = typeof replaced === "string" && records.get(replaced)?.name === name;
  const names = context.plannedNames;
  if (names?.has(creation(backend, kind, name)) === true) throw twice(backend, kind, name);
  if (names?.has(keeping(backend, kind, name)) === true && !isReplacement) throw twice(backend, kind, name);
  names?.add(creation(backend, kind, name));
  const namesakes = [...records.values()].filter(
    (record) => record.name === name && record.owner === backend.owner && record.phase === "unacknowledged",
  );
  if (namesakes.some(({ id }) => backend.known.has(id))) await backend.acknowledged();
}

/** The same for an object in state, called `heldName`, that is to be called `name`; null for one that goes. */
export async function claimForHeld(
  context: HookContext,
  backend: Backend,
  kind: Kind,
  heldName: string,
  name: string | null,
): Promise<void> {
  const names = context.plannedNames;
  if (name !== null) {
    if (names?.has(creation(backend, kind, name)) === true) throw twice(backend, kind, name);
    names?.add(keeping(backend, kind, name));
  }
  try {
    await backend.checkIdentity("other");
    if (names?.has(creation(backend, kind, heldName)) === true) await backend.acknowledged();
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

function creation(backend: Backend, kind: Kind, name: string): string {
  return `create ${kind} ${backend.name}/${name}`;
}

function keeping(backend: Backend, kind: Kind, name: string): string {
  return `keep ${kind} ${backend.name}/${name}`;
}

function twice(backend: Backend, kind: Kind, name: string): StorageError {
  return new StorageError({
    kind: "AlreadyExists",
    action: `create ${kind} "${name}" twice`,
    reason: "Another resource of this configuration has the same name on the same backend",
    nextStep: `Give each ${kind} of a backend a name of its own`,
    backend: backend.name,
    attribute: ["name"],
  });
}
