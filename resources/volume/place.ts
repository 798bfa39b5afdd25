import { type Backend, parseObjectId, type Whereabouts, whereIs } from "../../src/backend/index.ts";
import { isStorageError } from "../../src/contract/index.ts";
import { parseBackendReference, toleratesAbsence } from "../common/objects.ts";
import type { HookContext } from "../schema/index.ts";
import type { VolumeState } from "./attributes.ts";

/** The backend that a state says the volume is on; its id names the one that it was made on. */
export function holderOf(
  context: HookContext,
  state: VolumeState,
): { readonly backend: Backend; readonly uuid: string } {
  const { name } = parseBackendReference(state.backend);
  return { backend: context.fleet.backend(name, ["backend"]), uuid: parseObjectId(state.id, "id").uuid };
}

/**
 * Where the volume of a state really is: a run that was killed may have moved it without its state's knowing. Undefined
 * where it is certain to be gone.
 *
 * @throws StorageError also where it may be on a backend that does not answer
 */
export async function follow(context: HookContext, state: VolumeState): Promise<Whereabouts | undefined> {
  const { backend, uuid } = holderOf(context, state);
  const { found, silent } = await whereIs(context.fleet, backend, uuid);
  if (found !== undefined) return found;
  const [first] = silent.filter((silence) => !toleratesAbsence(silence.backend, silence.error));
  if (first !== undefined && state.on_backend_change === "migrate") throw first.error;
  if (silent.length > 0) {
    const names = silent.map((silence) => `"${silence.backend.name}"`).join(", ");
    context.warn({
      summary: `Volume "${state.name}" is not on backend "${backend.name}" any more`,
      detail: `It counts as gone. Whether it was moved to another backend cannot be told of ${names}: ${silent.map(({ error }) => (isStorageError(error) ? error.reason : "")).join("; ")}`,
    });
  }
  return undefined;
}
