export { checkNvmetSettings, defaultNqnPrefix, type NvmetTargetSettings } from "./settings.ts";
export { createNvmetTarget } from "./target.ts";
