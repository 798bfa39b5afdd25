import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Paths of sockets have room for 104 bytes on some systems. */
const longestPath = 100;

/** A directory of this process alone, for its socket. */
export class SocketDirectory {
  readonly #path: string;

  constructor(environment: NodeJS.ProcessEnv) {
    const wanted = join(environment["PLUGIN_UNIX_SOCKET_DIR"] || tmpdir(), "breezeblock-");
    // mkdtemp makes the directory for its owner alone.
    this.#path = mkdtempSync(
      socketIn(`${wanted}XXXXXX`).length <= longestPath ? wanted : "/tmp/breezeblock-",
    );
  }

  get socket(): string {
    return socketIn(this.#path);
  }

  /** Synchronous, as it also runs when the process exits. Idempotent. */
  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}

function socketIn(directory: string): string {
  return join(directory, "provider.sock");
}
