import { type AttributePath, StorageError } from "../contract/index.ts";

/** What a state calls an object of ours: `<backend>/<uuid>`. */
export interface ObjectId {
  /** The backend's name when the object was made; perhaps an alias by now. */
  readonly backend: string;
  readonly uuid: string;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const idPattern = /^([A-Za-z0-9][A-Za-z0-9_.-]*)\/([0-9a-f-]{36})$/;

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

export function formatObjectId(id: ObjectId): string {
  return `${id.backend}/${id.uuid}`;
}

/** Strict inverse of `formatObjectId`; undefined for anything else. */
export function tryParseObjectId(text: string): ObjectId | undefined {
  const [, backend, uuid] = idPattern.exec(text) ?? [];
  return backend === undefined || uuid === undefined || !isUuid(uuid) ? undefined : { backend, uuid };
}

/** As `tryParseObjectId`, but throws `InvalidInput`, naming `attribute`. */
export function parseObjectId(text: string, attribute: string | AttributePath): ObjectId {
  const id = tryParseObjectId(text);
  if (id !== undefined) return id;
  const path = typeof attribute === "string" ? [attribute] : attribute;
  throw new StorageError({
    kind: "InvalidInput",
    action: `use ${path.join(".")} "${text}"`,
    reason: 'An id has the form "<backend>/<uuid>"',
    nextStep: `Take it from the id attribute of the resource or data source`,
    attribute: path,
  });
}
