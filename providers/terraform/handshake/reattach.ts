import { registryHosts, sourceName } from "../names.ts";
import { protocolVersion } from "./magic-cookie.ts";

/** The value of `TF_REATTACH_PROVIDERS` by which both engines use a provider that runs already. */
export function reattachValue(socketPath: string, pid: number): string {
  const running = {
    Protocol: "grpc",
    ProtocolVersion: protocolVersion,
    Pid: pid,
    // Leaves the process alone when the engine is done with it.
    Test: true,
    Addr: { Network: "unix", String: socketPath },
  };
  return JSON.stringify(Object.fromEntries(registryHosts.map((host) => [`${host}/${sourceName}`, running])));
}
