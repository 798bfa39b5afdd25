export { checkIscsiSettings, defaultIqnPrefix, type IscsiTargetSettings } from "./settings.ts";
export { createIscsiTarget } from "./target.ts";
