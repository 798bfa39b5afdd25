import type { Leftover } from "../../contract/index.ts";
import type { Operation, VolumeDirectory } from "./directory.ts";
import { type ObjectName, parseFileName } from "./layout.ts";
import { leftoversScript } from "./scripts.ts";
import { ownerIn } from "./sidecar.ts";

/**
 * Metadata whose data is gone, and half-made files that no reservation stands for. Every change sweeps them up: half-made
 * files whoever made them, metadata only its owner's. Whose a half-made file is, only metadata beside it tells.
 */
export async function leftoverFiles(
  directory: VolumeDirectory,
  { context, listing, action }: Operation,
): Promise<readonly Leftover[]> {
  if (listing.stale.size === 0 && listing.halfMade.size === 0) return [];
  const { stdout } = await directory.ask(context, action, leftoversScript);
  const times = timesIn(stdout);
  const owners = ownersIn(stdout);
  const leftover = (path: string, owner: string | null, description: string): Leftover[] => {
    const file = parseFileName(path.slice(path.lastIndexOf("/") + 1));
    if (file === undefined) return [];
    const writtenAt = times.get(path) ?? null;
    return [{ kind: "file", name: path, objectId: file.id, owner, description, writtenAt }];
  };
  const stale = [...listing.stale].flatMap(([object, owner]) =>
    leftover(`${object}.json`, owner, "metadata whose data is gone"),
  );
  const halfMade = [...listing.halfMade].flatMap((path) => {
    const object = parseFileName(path.slice(path.lastIndexOf("/") + 1))?.object;
    const owner = object === undefined ? undefined : (owners.get(object) ?? ownerOf(object, listing));
    return leftover(path, owner ?? null, "a file that was never finished");
  });
  return [...stale, ...halfMade];
}

/** By paths below the directory, when the files were written, in milliseconds since 1970. */
function timesIn(stdout: Buffer): ReadonlyMap<string, number> {
  const lines = stdout.toString("latin1").matchAll(/^time (\d+(?:\.\d+)?) (?:\.\/)?(\S+)$/gm);
  return new Map([...lines].map(([, seconds, path = ""]) => [path, Number(seconds) * 1000]));
}

function ownerOf(object: ObjectName, { sidecars, stale }: Operation["listing"]): string | null {
  return sidecars.get(object)?.sidecar.fields.owner ?? stale.get(object) ?? null;
}

/** By the object's name, what its half-made metadata says. */
function ownersIn(stdout: Buffer): ReadonlyMap<ObjectName, string | null> {
  const lines = new Map<ObjectName, string[]>();
  // Latin-1 keeps each byte a character of its own.
  for (const line of stdout.toString("latin1").split("\n")) {
    const [, name = "", content = ""] = /^\.\/([^:]+):(.*)$/.exec(line) ?? [];
    const object = parseFileName(name)?.object;
    if (object !== undefined) lines.set(object, [...(lines.get(object) ?? []), content]);
  }
  return new Map([...lines].map(([object, contents]) => [object, ownerIn(contents)]));
}
