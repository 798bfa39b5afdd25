import { devicePath } from "./names.ts";
import { isThinVolume, type LogicalVolume } from "./report.ts";
import { requireMetadataRoom, requirePoolRoom } from "./requests.ts";
import { createScript } from "./scripts.ts";
import { isSame } from "./selections.ts";
import type { Operation, VolumeGroupOnHost } from "./volume-group.ts";

/** What a new logical volume is to be. */
export type Shape =
  | { readonly kind: "linear"; readonly sizeBytes: number }
  | { readonly kind: "thin"; readonly pool: string; readonly sizeBytes: number }
  /** Of a thin volume: in its pool, sharing its blocks. */
  | { readonly kind: "thin snapshot"; readonly origin: LogicalVolume; readonly isWritable: boolean }
  /** Of any other: what its origin held before it was written over is kept in `extents` of its own. */
  | { readonly kind: "cow snapshot"; readonly origin: LogicalVolume; readonly extents: number };

/** Makes a logical volume with its tags, in one command, and enters it in the listing of the volume group. */
export async function allocate(
  group: VolumeGroupOnHost,
  operation: Operation,
  name: string,
  tags: readonly string[],
  shape: Shape,
): Promise<LogicalVolume> {
  const { listing, action } = operation;
  requireMetadataRoom(listing, tags, action);
  const pool = poolOf(shape);
  if (pool !== "") requirePoolRoom(listing, pool, action);
  const origin = "origin" in shape ? shape.origin : undefined;
  const { arguments: shapeArguments, attributes } = asLvmTakesIt(shape, listing.group.extentBytes);
  const result = await group.change(operation, createScript, [
    devicePath(group.name, name),
    origin === undefined ? "" : devicePath(group.name, origin.name),
    origin === undefined ? "" : isSame(origin),
    ...["-y", "-n", name],
    ...tags.flatMap((tag) => ["--addtag", tag]),
    ...shapeArguments,
    origin === undefined ? group.name : `${group.name}/${origin.name}`,
  ]);
  const volume: LogicalVolume = {
    name,
    uuid: group.uuidFrom(operation, result),
    attributes,
    sizeBytes: sizeOf(shape, listing.group.extentBytes),
    tags,
    pool,
    origin: origin?.name ?? "",
    layout: shape.kind.startsWith("thin") ? "thin,sparse" : "linear",
    time: "",
    // What LVM says of a copy-on-write snapshot that nothing has been kept in yet.
    dataPercent: shape.kind === "cow snapshot" ? 0 : null,
    metadataPercent: null,
  };
  listing.group.logicalVolumes.set(name, volume);
  return volume;
}

/** A snapshot of the kind that its origin can have. */
export function snapshotOf(origin: LogicalVolume, isWritable: boolean, extents: number): Shape {
  return isThinVolume(origin)
    ? { kind: "thin snapshot", origin, isWritable }
    : { kind: "cow snapshot", origin, extents };
}

function poolOf(shape: Shape): string {
  if (shape.kind === "thin") return shape.pool;
  return shape.kind === "thin snapshot" ? shape.origin.pool : "";
}

function sizeOf(shape: Shape, extentBytes: number): number {
  if (shape.kind === "cow snapshot") return shape.extents * extentBytes;
  return shape.kind === "thin snapshot" ? shape.origin.sizeBytes : shape.sizeBytes;
}

/** `attributes` are those that the new logical volume will be listed with. */
function asLvmTakesIt(
  shape: Shape,
  extentBytes: number,
): { readonly arguments: readonly string[]; readonly attributes: string } {
  switch (shape.kind) {
    case "linear": {
      const extents = String(shape.sizeBytes / extentBytes);
      // Signatures and the first bytes go before anything, udev included, looks at it.
      return { arguments: ["--type", "linear", "-Wy", "-Zy", "-l", extents], attributes: "-wi-a-----" };
    }
    case "thin": {
      // A new thin volume has no signatures to wipe, and wiping would take blocks.
      const arguments_ = ["-Wn", "-kn", "--thinpool", shape.pool, "-V", `${shape.sizeBytes}b`];
      return { arguments: arguments_, attributes: "Vwi-a-tz--" };
    }
    case "thin snapshot": {
      // LVM marks thin snapshots to be passed over when a host starts, unless told otherwise.
      const permission = shape.isWritable ? "rw" : "r";
      return {
        arguments: ["-s", "-kn", "-p", permission],
        attributes: shape.isWritable ? "Vwi-a-tz--" : "Vri-a-tz--",
      };
    }
    case "cow snapshot":
      return { arguments: ["-s", "-l", String(shape.extents)], attributes: "swi-a-s---" };
  }
}
