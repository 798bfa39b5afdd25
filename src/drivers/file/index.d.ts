export { createFileDriver, type FileDriverSettings } from "./driver.ts";
