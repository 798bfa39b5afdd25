import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Debian keeps what only root's PATH has. */
const systemDirectories = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The absolute path of `command`, looked for on PATH and then in the system's sbin directories. */
export function findCommand(command: string): string | undefined {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), ...systemDirectories];
  return directories.map((directory) => join(directory || ".", command)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
