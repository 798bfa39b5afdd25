import { onTestFinished } from "vitest";
import { startEmbeddedHost } from "../../src/embedded-host/index.ts";
import { type CountedHost, type HostSettings, openHost } from "../../src/ssh/index.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { ensurePackages } from "../support/packages.ts";
import { makeTempDirectory, removeDirectory } from "../support/temp-directory.ts";

/** Whether a real sshd can be used; asked for once a file, before its tests are collected. */
export const openSsh = await ensurePackages(["openssh-server", "openssh-client", "util-linux"]);

export const serverKinds: readonly ServerKind[] = openSsh.available ? ["embedded", "openssh"] : ["embedded"];
if (!openSsh.available) console.warn(openSsh.reason);

export type ServerKind = "embedded" | "openssh";

export interface Server {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeyFile: string;
  readonly hostKey: string;
  stop(): Promise<void>;
}

export async function startServer(kind: ServerKind): Promise<Server> {
  if (kind === "openssh") return startOpenSsh();
  const directory = makeTempDirectory();
  const server = await startEmbeddedHost({ directory });
  const stop = async () => {
    await server.stop();
    removeDirectory(directory);
  };
  return { ...server, stop };
}

export function settingsFor(server: Server, more: Partial<HostSettings> = {}): HostSettings {
  return {
    name: "nas",
    address: server.address,
    port: server.port,
    user: server.user,
    auth: { privateKeyFile: server.privateKeyFile },
    hostKeys: { pinned: [server.hostKey] },
    ...more,
  };
}

/** A host that is closed once the running test has ended. */
export function hostFor(server: Server, more: Partial<HostSettings> = {}): CountedHost {
  const host = openHost(settingsFor(server, more));
  onTestFinished(() => host.close());
  return host;
}
