import type { AccessMode, MountState } from "../../contract/index.ts";
import { Report } from "../records.ts";
import { unescapeField } from "./fstab.ts";

/** Mounts and lines of fstab, by volume. */
export function parseMounts(text: string): ReadonlyMap<string, readonly MountState[]> {
  const report = new Report(text);
  const sizes = new Map(
    report.facts("size", 3).map(([size, blocks, point = ""]) => [point, Number(size) * Number(blocks)]),
  );
  const answering = new Set(report.facts("answers", 1).map(([point]) => point));
  const errors = new Map(
    report.facts("errors", 3).map(([, count, point = ""]) => [unescapeField(point), Number(count)]),
  );
  const states = new Map<string, Map<string, MountState>>();
  const keep = (state: MountState) => {
    const known = states.get(state.volumeId) ?? new Map<string, MountState>();
    states.set(state.volumeId, known.set(state.mountPoint, state));
  };
  for (const [volumeId = "", point = "", type = "", options = ""] of report.facts("line", 4)) {
    const access: AccessMode = options.split(",").includes("ro") ? "ro" : "rw";
    const mountPoint = unescapeField(point);
    const isMounted = false;
    keep({
      volumeId,
      mountPoint,
      type,
      access,
      isMounted,
      isInFstab: true,
      answers: false,
      errors: 0,
      sizeBytes: null,
    });
  }
  for (const [volumeId = "", point = "", type = "", access] of report.facts("mount", 4)) {
    const mountPoint = unescapeField(point);
    keep({
      volumeId,
      mountPoint,
      type,
      access: access === "ro" ? "ro" : "rw",
      isMounted: true,
      isInFstab: states.get(volumeId)?.has(mountPoint) ?? false,
      answers: answering.has(mountPoint),
      errors: errors.get(mountPoint) ?? 0,
      sizeBytes: sizes.get(mountPoint) ?? null,
    });
  }
  return new Map([...states].map(([volumeId, byPoint]) => [volumeId, [...byPoint.values()]]));
}

/** The one mount that a script reported: `mount POINT TYPE ACCESS SIZE`. */
export function parseMount(text: string, volumeId: string, mountPoint: string): MountState {
  const [fact] = new Report(text).facts("mount", 4);
  if (fact === undefined) throw new Error(`the mount was not reported: ${JSON.stringify(text)}`);
  const [, type = "", access, size] = fact;
  return {
    volumeId,
    mountPoint,
    type,
    access: access === "ro" ? "ro" : "rw",
    isMounted: true,
    isInFstab: true,
    answers: true,
    errors: 0,
    sizeBytes: Number(size),
  };
}
