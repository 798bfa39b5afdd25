import type { Backend } from "../../src/backend/index.ts";
import { type ImageSource, StorageError, type VolumeSource } from "../../src/contract/index.ts";
import { imageOf } from "../common/images.ts";
import { isSameObject, locate, locateVolume } from "../common/objects.ts";
import { type HookContext, isWhollyKnown, type Value, valuesEqual } from "../schema/index.ts";
import type { VolumePlan, VolumeState, Written } from "./attributes.ts";

/** A source that is taken away, or was never known (imported), changes nothing. */
export function sourceChanges(
  context: HookContext | null,
  planned: VolumePlan["source"],
  prior: VolumeState["source"],
): boolean {
  if (planned === null || prior === null) return false;
  if (!isWhollyKnown(planned as Value)) return true;
  const { snapshot_id, volume_id, image } = planned as NonNullable<VolumeState["source"]>;
  const isSame = (wanted: string | null, current: string | null) =>
    wanted === current || (wanted !== null && current !== null && isSameObject(context, wanted, current));
  return !(
    isSame(snapshot_id, prior.snapshot_id) &&
    isSame(volume_id, prior.volume_id) &&
    valuesEqual(image, prior.image)
  );
}

/** The image that a volume is filled from; `undefined` where it is not. */
export function imageIn(source: Written["source"]): ImageSource | undefined {
  return source === null || source.image === null ? undefined : imageOf(source.image);
}

/** The backend that a source, where it is known, is on: a volume without a backend of its own goes there. */
export async function backendOfSource(
  context: HookContext,
  source: VolumePlan["source"],
): Promise<Backend | null> {
  if (source === null || !isWhollyKnown(source as Value)) return null;
  const { snapshot_id, volume_id, image } = source as NonNullable<VolumeState["source"]>;
  if (image !== null) return null;
  const kind = snapshot_id === null ? "volume" : "snapshot";
  const find = kind === "volume" ? locateVolume : locate;
  return (await find(context, snapshot_id ?? volume_id ?? "", ["source", `${kind}_id`])).backend;
}

export async function sourceOf(
  context: HookContext,
  source: Written["source"],
  backend: Backend,
): Promise<VolumeSource | null> {
  if (source === null || source.image !== null) return null;
  const kind = source.snapshot_id === null ? "volume" : "snapshot";
  const attribute = ["source", `${kind}_id`];
  const find = kind === "volume" ? locateVolume : locate;
  const located = await find(context, source.snapshot_id ?? source.volume_id ?? "", attribute);
  if (located.backend === backend) return { kind, id: located.uuid };
  throw new StorageError({
    kind: "InvalidInput",
    action: `make a volume on backend "${backend.name}" from a ${kind} on backend "${located.backend.name}"`,
    reason: "Source and volume must be on the same backend",
    attribute,
  });
}
