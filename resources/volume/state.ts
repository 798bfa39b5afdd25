import {
  type Backend,
  formatObjectId,
  imageSetting,
  isProtected,
  moveOf,
  withoutRun,
} from "../../src/backend/index.ts";
import type { JsonValue, VolumeRecord } from "../../src/contract/index.ts";
import { type ImageState, imageAttributes } from "../common/images.ts";
import { labelsAllOf, labelsOf, labelsSetting } from "../common/labels.ts";
import { volumeIdOf, volumeIdOn, withoutDefaults } from "../common/objects.ts";
import { bytesToGib } from "../common/sizes.ts";
import { parseValues, type Raw } from "../schema/index.ts";
import type { Kept, VolumeState, Written } from "./attributes.ts";
import { restoreOf } from "./kept-restore.ts";
import { imageIn } from "./source.ts";

export const settingDefaults = {
  on_backend_change: "refuse",
  on_source_change: "refuse",
  deletion_policy: "delete",
} as const;

/** What only the resource needs to know, kept on the host for imports. */
export function settingsOf(written: Written): Readonly<Record<string, JsonValue>> {
  const { labels, timeouts: limits, ...settings } = written;
  const { name_prefix, availability_zone, requirements, scheduler_hints } = settings;
  const { on_backend_change, on_source_change, volume_clear, deletion_policy, restore } = settings;
  const image = imageIn(written.source);
  return withoutDefaults(
    {
      ...{ name_prefix, availability_zone, requirements, scheduler_hints },
      ...{ on_backend_change, on_source_change, volume_clear, deletion_policy, restore },
      labels: labelsSetting(labels),
      image: image === undefined ? null : imageSetting(image),
      timeouts: limits,
    },
    settingDefaults,
  );
}

/** State of a volume as it is on the host. What only the configuration knows comes from `kept`. */
export function stateOf(record: VolumeRecord, backend: Backend, identity: string, kept: Kept): VolumeState {
  return {
    id: kept.id ?? volumeIdOf(record, backend),
    name: record.name,
    name_prefix: kept.name_prefix,
    size: bytesToGib(record.sizeBytes),
    backend: kept.backend,
    availability_zone: kept.availability_zone,
    requirements: kept.requirements,
    scheduler_hints: kept.scheduler_hints,
    on_backend_change: kept.on_backend_change,
    source: kept.source,
    on_source_change: kept.on_source_change,
    provisioning: record.provisioning,
    volume_clear: kept.volume_clear,
    multiattach: record.multiattach,
    deletion_protection: isProtected(record),
    deletion_policy: kept.deletion_policy,
    restore: restoreOf(record, kept.restore),
    labels: labelsOf(record, kept.labels),
    timeouts: kept.timeouts,
    labels_all: labelsAllOf(record),
    claimed: true,
    migration: migrationOf(record),
    pool: record.pool,
    size_bytes: record.sizeBytes,
    provider_location: record.location,
    device_path: backend.target.protocol === "local" ? record.location : null,
    backend_identity: identity,
    created_at: record.createdAt,
  };
}

function migrationOf(record: VolumeRecord): string | null {
  const mark = moveOf(record);
  return mark === undefined ? null : `${mark.direction} ${mark.backend}`;
}

/** What the host keeps of what was written in the configuration that was applied last: for imports. */
export async function settingsOnHost(record: VolumeRecord, backend: Backend): Promise<Kept> {
  const { image: _, ...writtenSettings } = withoutRun(record.settings);
  return {
    name_prefix: null,
    availability_zone: null,
    requirements: null,
    scheduler_hints: null,
    volume_clear: null,
    restore: null,
    labels: null,
    timeouts: null,
    ...settingDefaults,
    ...(writtenSettings as Partial<Written>),
    id: null,
    backend: backend.name,
    source: await importedSource(record, backend),
    multiattach: record.multiattach,
  };
}

async function importedSource(record: VolumeRecord, backend: Backend): Promise<VolumeState["source"]> {
  const image = record.settings["image"] as Partial<ImageState> | undefined;
  if (image !== undefined) {
    const { values } = parseValues(imageAttributes, image as Raw);
    return { snapshot_id: null, volume_id: null, image: values as ImageState };
  }
  if (record.source === null) return null;
  const { kind, id } = record.source;
  return kind === "snapshot"
    ? { snapshot_id: formatObjectId({ backend: backend.name, uuid: id }), volume_id: null, image: null }
    : { snapshot_id: null, volume_id: await volumeIdOn(backend, id), image: null };
}
