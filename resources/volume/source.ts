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

/** A source where it will be once everything is carried out that is planned before what is made of it. */
interface PlannedSource {
  readonly source: VolumeSource;
  readonly backend: Backend;
  /** The same plan moves it there. */
  readonly isMoved: boolean;
}

async function locateSource(
  context: HookContext,
  { snapshot_id: snapshotId, volume_id: volumeId }: NonNullable<VolumeState["source"]>,
): Promise<PlannedSource> {
  if (snapshotId !== null) {
    const { backend, uuid } = locate(context, snapshotId, ["source", "snapshot_id"]);
    return { source: { kind: "snapshot", id: uuid }, backend, isMoved: false };
  }
  const { backend, uuid } = await locateVolume(context, volumeId ?? "", ["source", "volume_id"]);
  const source = { kind: "volume", id: uuid } as const;
  const target = context.plannedSpace?.targetOfMove(uuid);
  if (target === undefined || backend.answersTo(target)) return { source, backend, isMoved: false };
  return { source, backend: context.fleet.backend(target, ["backend"]), isMoved: true };
}

/** The backend that a source, where it is known, is on: a volume without a backend of its own goes there. */
export async function backendOfSource(
  context: HookContext,
  source: VolumePlan["source"],
): Promise<Backend | null> {
  if (source === null || !isWhollyKnown(source as Value)) return null;
  const known = source as NonNullable<VolumeState["source"]>;
  return known.image === null ? (await locateSource(context, known)).backend : null;
}

export async function sourceOf(
  context: HookContext,
  source: Written["source"],
  backend: Backend,
): Promise<(VolumeSource & Pick<PlannedSource, "isMoved">) | null> {
  if (source === null || source.image !== null) return null;
  const located = await locateSource(context, source);
  const { isMoved } = located;
  if (located.backend === backend) return { ...located.source, isMoved };
  const { kind } = located.source;
  throw new StorageError({
    kind: "InvalidInput",
    action: `make a volume on backend "${backend.name}" from a ${kind} ${isMoved ? "that the same plan moves to" : "on"} backend "${located.backend.name}"`,
    reason: "Source and volume must be on the same backend",
    nextStep: "Leave backend out: the volume then goes where its source is",
    attribute: ["source", `${kind}_id`],
  });
}
