import { homedir } from "node:os";
import { join } from "node:path";

/** `path` with a leading `~` replaced by this user's home directory. Other users' homes (`~name`) are not looked up. */
export function expandHome(path: string): string {
  if (path === "~") return homedir();
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}
