export {
  type CopyOut,
  copyOut,
  copyOutJob,
  discardCopyOut,
  fileExists,
  imageSize,
  removeImage,
} from "./copy-out.ts";
export { cleanStaging, type Filling, fillFromImage, fillingJobs, prepareStaging } from "./fill.ts";
export { imageDiskBytes, lookAhead } from "./look-ahead.ts";
export { withoutQuery } from "./remote-image.ts";
