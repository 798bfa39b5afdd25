export { createFilesystems } from "./filesystems.ts";
