export * from "./attachments.ts";
export { Backend, type FleetEnd } from "./backend.ts";
export { Fleet, type FleetOptions } from "./fleet.ts";
export * from "./object-id.ts";
export { HalfMadeError, isProtected, requireOwn } from "./ownership.ts";
export * from "./settings.ts";
export * from "./snapshots.ts";
export {
  createVolume,
  deleteVolume,
  findVolume,
  nameTaken,
  requireSource,
  retainVolume,
  shrinks,
  updateVolume,
  type VolumeChanges,
  type VolumeRequest,
} from "./volumes.ts";
