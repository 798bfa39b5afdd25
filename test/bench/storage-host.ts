import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedHost, startEmbeddedHost } from "../../src/embedded-host/index.ts";
import type { HostSettings } from "../../src/ssh/index.ts";

/** Calls `use` with a new embedded storage host, and removes all of it afterwards. */
export async function withStorageHost<T>(use: (host: EmbeddedHost) => Promise<T>): Promise<T> {
  return withDirectory(async (directory) => {
    const host = await startEmbeddedHost({ directory });
    try {
      return await use(host);
    } finally {
      await host.stop();
    }
  });
}

export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "breezeblock-bench-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function hostSettings(
  host: Pick<EmbeddedHost, "address" | "port" | "user" | "privateKeyFile" | "hostKey">,
): HostSettings {
  return {
    name: "bench",
    address: host.address,
    port: host.port,
    user: host.user,
    auth: { privateKeyFile: host.privateKeyFile },
    hostKeys: { pinned: [host.hostKey] },
  };
}
