import type { VolumeDriver } from "../contract/index.ts";
import { createFileDriver } from "./file/index.ts";
import { createLvmDriver } from "./lvm/index.ts";

/** Every technology, and what makes a driver of its settings. The one place where a new driver is entered. */
export const drivers = {
  file: createFileDriver,
  lvm: createLvmDriver,
} as const satisfies Record<string, (settings: never) => VolumeDriver>;

/** The name of a technology's block in the configuration. */
export type Technology = keyof typeof drivers;

/** What a technology's driver is made from. */
export type DriverSettings<T extends Technology> = Parameters<(typeof drivers)[T]>[0];
