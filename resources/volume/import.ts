import {
  type Backend,
  findManageable,
  hasName,
  manageableVolumes,
  noteUnclaimed,
  notSafe,
  requireOwn,
  switchedTarget,
  whereIs,
} from "../../src/backend/index.ts";
import { type ManageableVolume, StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import {
  identityOf,
  nothingToImport,
  parseImport,
  refuseDeleted,
  warnIfUnfinished,
} from "../common/objects.ts";
import type { HookContext, ImportRequest } from "../schema/index.ts";
import type { VolumeState } from "./attributes.ts";
import { warnIfRestoring } from "./restore.ts";
import { settingsOnHost, stateOf } from "./state.ts";
import { unclaimedState } from "./unclaimed.ts";

/** What an id begins with, after the backend, that means a volume which others made, by the technology's own name. */
const existingPrefix = "existing:";

/** The id by which a volume that others made is imported. */
export function existingId(backend: Backend, { reference }: Pick<ManageableVolume, "reference">): string {
  return `${backend.name}/${existingPrefix}${reference}`;
}

/** State of what is to be imported. Writes nothing: what others made stays unclaimed until it is applied. */
export async function importVolume(context: HookContext, request: ImportRequest): Promise<VolumeState> {
  const existing = existingReference(context, request);
  if (existing !== undefined) return importExisting(context, existing.backend, existing.reference);
  const { backend, reference } = parseImport(context, "volume", request);
  const { volumes } = await backend.listing();
  const record =
    "uuid" in reference
      ? volumes.get(reference.uuid)
      : [...volumes.values()].find((candidate) => hasName(backend, candidate, reference.name));
  if (record !== undefined) {
    const moved = await switchedTarget(context.fleet, backend, record);
    return importOwn(context, moved?.backend ?? backend, moved?.record ?? record);
  }
  const place = "uuid" in reference ? await whereIs(context.fleet, backend, reference.uuid) : undefined;
  if (place?.found !== undefined) return importOwn(context, place.found.backend, place.found.record);
  const found = "uuid" in reference ? await findManageable(backend, { id: reference.uuid }) : undefined;
  if (found === undefined) throw nothingToImport(backend, "volume", reference);
  return importFound(context, backend, found);
}

function existingReference(
  context: HookContext,
  request: ImportRequest,
): { readonly backend: Backend; readonly reference: string } | undefined {
  if (!("id" in request)) return undefined;
  const at = request.id.indexOf(`/${existingPrefix}`);
  if (at <= 0) return undefined;
  const backend = context.fleet.backend(request.id.slice(0, at), []);
  return { backend, reference: request.id.slice(at + 1 + existingPrefix.length) };
}

async function importExisting(
  context: HookContext,
  backend: Backend,
  reference: string,
): Promise<VolumeState> {
  // What has the name now; only where that is nobody's, or ours, what was adopted from it.
  const found = await findManageable(backend, { reference });
  if (found !== undefined) return importFound(context, backend, found);
  const { volumes } = await backend.listing();
  const adopted = [...volumes.values()].filter(({ adoptedFrom }) => adoptedFrom === reference);
  const own = adopted.find(({ location }) => location.endsWith(`/${reference}`)) ?? adopted[0];
  if (own !== undefined) return importOwn(context, backend, own);
  const others = (await manageableVolumes(backend)).volumes.map((volume) => volume.reference);
  throw new StorageError({
    kind: "VolumeNotFound",
    action: `import "${existingPrefix}${reference}"`,
    reason: `There is no such volume that others made; there ${others.length === 0 ? "is none" : `are ${listed(others)}`}`,
    nextStep: "Name it as the technology does; the data source breezeblock_volumes lists what there is",
    backend: backend.name,
    host: backend.host.host,
  });
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => `"${name}"`);
  return `${shown.join(", ")}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ""}`;
}

async function importOwn(context: HookContext, backend: Backend, record: VolumeRecord): Promise<VolumeState> {
  requireOwn(backend, "volume", record);
  refuseDeleted(backend, "volume", record);
  warnIfUnfinished(context, "volume", record);
  warnIfRestoring(context, record);
  backend.noteImport(record.id);
  return stateOf(record, backend, await identityOf(backend), await settingsOnHost(record, backend));
}

async function importFound(
  context: HookContext,
  backend: Backend,
  found: ManageableVolume,
): Promise<VolumeState> {
  if (!found.safe_to_manage) throw notSafe(backend, found);
  const { identity, hidesUsers } = await manageableVolumes(backend);
  if (hidesUsers === true) {
    context.warn({
      summary: `Not everything that may use ${found.reference} can be seen`,
      detail: `Processes of other users on ${backend.host.host} hide what they have open from the login, which is not root; only what they have locked is seen, as QEMU does. Make sure that nobody uses it.`,
    });
  }
  noteUnclaimed(backend, found.id);
  return unclaimedState(context, backend, found, identity);
}
