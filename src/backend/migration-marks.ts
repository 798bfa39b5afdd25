import { randomBytes } from "node:crypto";
import type { JsonValue, ObjectRecord, VolumeRecord } from "../contract/index.ts";

/**
 * What the host keeps of a move, among a volume's settings. A move has two volumes of one id on two backends for a while:
 * the old one says where it goes, from before anything is copied until it is gone; the new one says where it comes from,
 * from when it is reserved until the old one is gone. docs/adr/0015 tells why.
 */
export interface MoveMark {
  readonly direction: "to" | "from";
  /** The other backend's name. */
  readonly backend: string;
  /** Made at random for each move; both of its volumes have the same, so that nothing of an earlier move counts for a later one. */
  readonly token: string;
  /**
   * What the storage of the other backend calls itself. One that is not there now is not one without the other volume. The new
   * volumes of versions before this did not note it.
   */
  readonly storage?: string;
  /** Of the new volume: the run that works on it. Whoever goes on enters itself, and nobody else makes it whole then. */
  readonly run?: string;
  /** Of the old volume: the move is being undone, and nobody makes the new volume whole any more. */
  readonly isTakenBack?: boolean;
}

export function newToken(): string {
  return randomBytes(8).toString("hex");
}

/** Whether both are of one move. */
export function isOfMove(mark: MoveMark | undefined, token: string | undefined): boolean {
  return mark !== undefined && mark.token !== "" && mark.token === token;
}

const moveKey = "move";
const birthplaceKey = "birthplace";

/** The images that are being copied out of a volume or snapshot, a list of their ids; see `image-marks.ts`. */
export const imagesKey = "copied_to";

/** The settings that are the engine's own, which no change of other settings touches. */
const kept = [moveKey, birthplaceKey, imagesKey];

export function moveOf({ settings }: Pick<ObjectRecord, "settings">): MoveMark | undefined {
  const mark = settings[moveKey];
  if (typeof mark !== "object" || mark === null || Array.isArray(mark)) return undefined;
  const { to, from, token, run, storage, taken_back } = mark as { readonly [key: string]: JsonValue };
  const common = {
    token: typeof token === "string" ? token : "",
    ...(typeof storage === "string" ? { storage } : {}),
  };
  if (typeof to === "string") {
    return {
      ...{ direction: "to", backend: to, ...common },
      ...(taken_back === true ? { isTakenBack: true } : {}),
    };
  }
  if (typeof from !== "string") return undefined;
  return { direction: "from", backend: from, ...common, ...(typeof run === "string" ? { run } : {}) };
}

/** The backend that a moved volume's id names; undefined for one that was never moved. */
export function birthplaceOf({ settings }: Pick<ObjectRecord, "settings">): string | undefined {
  const birthplace = settings[birthplaceKey];
  return typeof birthplace === "string" ? birthplace : undefined;
}

/** Settings with that mark, or with none. */
export function withMove(
  { settings }: Pick<VolumeRecord, "settings">,
  mark: MoveMark | undefined,
  birthplace?: string,
): VolumeRecord["settings"] {
  const { [moveKey]: _, ...others } = settings;
  return {
    ...others,
    ...(mark === undefined ? {} : { [moveKey]: settingOf(mark) }),
    ...(birthplace === undefined ? {} : { [birthplaceKey]: birthplace }),
  };
}

function settingOf({ direction, backend, token, run, storage, isTakenBack }: MoveMark): JsonValue {
  return {
    [direction]: backend,
    token,
    ...(run === undefined ? {} : { run }),
    ...(storage === undefined ? {} : { storage }),
    ...(isTakenBack === true ? { taken_back: true } : {}),
  };
}

/** `settings` with what moves and copies have noted in the record's. */
export function keepingMarks(
  record: Pick<ObjectRecord, "settings">,
  settings: ObjectRecord["settings"],
): ObjectRecord["settings"] {
  const noted = Object.entries(record.settings).filter(([name]) => kept.includes(name));
  return { ...settings, ...Object.fromEntries(noted) };
}
