export * from "./capabilities.ts";
export * from "./driver.ts";
export * from "./errors.ts";
export * from "./executor.ts";
export * from "./inventory.ts";
export * from "./stats.ts";
export * from "./target.ts";
export * from "./volume.ts";
