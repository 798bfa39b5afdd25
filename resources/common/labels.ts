import type { ObjectRecord } from "../../src/contract/index.ts";
import { type HookContext, isUnknown, UNKNOWN, type Unknowable } from "../schema/index.ts";

type Labels = Readonly<Record<string, string>>;

/** `labels_all`: the provider's default labels with the resource's own over them; unknown where any of it is. */
function plannedLabelsAll(
  labels: Unknowable<Labels> | null,
  defaultLabels: Labels | undefined,
): Unknowable<Labels> {
  if (defaultLabels === undefined || isUnknown(labels)) return UNKNOWN;
  return { ...defaultLabels, ...labels };
}

/** What a plan has of an object that the provider's settings complete: unknown while they are. */
export function plannedWithDefaults(
  context: HookContext | null,
  config: { readonly deletion_protection: Unknowable<boolean> | null },
  planned: { readonly labels: Unknowable<Labels> | null },
): { readonly deletion_protection: Unknowable<boolean>; readonly labels_all: Unknowable<Labels> } {
  const settings = context?.fleet.settings;
  return {
    deletion_protection: config.deletion_protection ?? settings?.deletionProtection ?? UNKNOWN,
    labels_all: plannedLabelsAll(planned.labels, settings?.defaultLabels),
  };
}

/** `labels` as state has them: none on the host stays null where the user wrote none. */
export function labelsOf(record: ObjectRecord, prior: Labels | null): Labels | null {
  return prior === null && Object.keys(record.labels).length === 0 ? null : record.labels;
}

/** What no import could tell from the labels on the host, and is kept among the settings: that an empty map was written. */
export function labelsSetting(labels: Labels | null): Labels | null {
  return labels !== null && Object.keys(labels).length === 0 ? labels : null;
}

export function labelsAllOf(record: ObjectRecord): Labels {
  return { ...record.defaultLabels, ...record.labels };
}
