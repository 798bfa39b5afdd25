export * from "./adoption.ts";
export {
  type AttachmentRequest,
  type AttachmentState,
  accessFault,
  attach,
  connectionOf,
  detach,
  ensureAccess,
  findAttachment,
  type GrantedAttachment,
  sameConnector,
} from "./attachments.ts";
export { Backend, type FleetEnd } from "./backend.ts";
export {
  anyPlace,
  candidatesOf,
  describeRejections,
  eligible,
  type Pin,
  type PlacementWishes,
  reference,
  requestOf,
  unusable,
  type VolumeDemand,
} from "./candidates.ts";
export { Consumer, isAbsentConsumer, type Observation } from "./consumers.ts";
export * from "./consumption.ts";
export { withoutRun } from "./creation-runs.ts";
export { Fleet, type FleetOptions } from "./fleet.ts";
export {
  createGroupSnapshot,
  deleteGroupSnapshot,
  findGroupSnapshot,
  type GroupSnapshot,
  type GroupSnapshotRequest,
  groupSnapshotsIn,
  memberName,
  updateGroupSnapshot,
} from "./group-snapshots.ts";
export {
  type CopiedImage,
  createImage,
  deleteImage,
  findImageFile,
  type ImageOrigin,
  isImageBegun,
  requireCopyable,
} from "./image-copies.ts";
export { imageSetting } from "./images.ts";
export { deleteVolumeAfterSnapshot } from "./last-snapshot.ts";
export {
  bringTo,
  finishMove,
  type Move,
  moveVolume,
  refuseSameStorage,
  requireMovable,
  requirePlaceFor,
  settleMove,
  takeBack,
} from "./migration.ts";
export { birthplaceOf, type MoveMark, moveOf } from "./migration-marks.ts";
export * from "./object-id.ts";
export { HalfMadeError, isProtected, isResumable, isUsable, requireOwn } from "./ownership.ts";
export {
  isPassedOver,
  moveKey,
  type Placed,
  type PlannedCreation,
  type PlannedPlace,
  PlannedSpace,
} from "./planned-space.ts";
export { leaveRestore, type RestoreRequest, requireRestorable, restoreVolume } from "./restores.ts";
export * from "./settings.ts";
export {
  createSnapshot,
  deleteSnapshot,
  findSnapshot,
  type SnapshotChanges,
  type SnapshotRequest,
  updateSnapshot,
} from "./snapshots.ts";
export { isUnclaimed, noteUnclaimed } from "./unclaimed.ts";
export {
  createVolume,
  deleteVolume,
  findVolume,
  hasName,
  nameTaken,
  requireSource,
  retainVolume,
  shrinks,
  updateVolume,
  type VolumeChanges,
  type VolumeRequest,
} from "./volumes.ts";
export { type Silence, switchedTarget, type Whereabouts, whereIs } from "./whereabouts.ts";
