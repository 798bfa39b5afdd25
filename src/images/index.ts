export {
  type CopyOut,
  copyOut,
  copyOutJob,
  discardCopyOut,
  fileExists,
  imageSize,
  removeImage,
} from "./copy-out.ts";
export { cleanStaging, fillFromImage, prepareStaging } from "./fill.ts";
export { type Filling, fillingJobs, type ImageCache } from "./filling.ts";
export { imageDiskBytes, lookAhead } from "./look-ahead.ts";
export { withoutQuery } from "./remote-image.ts";
