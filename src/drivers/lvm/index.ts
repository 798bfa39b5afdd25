export { createLvmDriver, type LvmDriverSettings } from "./driver.ts";
