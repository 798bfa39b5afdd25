import { isIP, isIPv4 } from "node:net";
import { StorageError } from "../../contract/index.ts";

/** Where a target listens and consumers go. */
export interface Portal {
  /** An IP address, without brackets. */
  readonly address: string;
  readonly port: number;
}

/**
 * Reads portals as they are configured: `10.0.0.5:3260`, `[fd00::5]:3260`; without a port, `defaultPort`.
 *
 * @throws StorageError `InvalidConfiguration` naming the portal that cannot be, by `["portals", index]`
 */
export function parsePortals(portals: readonly string[], defaultPort: number): readonly Portal[] {
  if (portals.length === 0) throw refused("there is no portal", ["portals"]);
  const seen = new Set<string>();
  return portals.map((text, index) => {
    const attribute = ["portals", index];
    const portal = parsePortal(text, defaultPort, attribute);
    const canonical = formatPortal(portal);
    if (seen.has(canonical)) throw refused(`the portal ${canonical} is there twice`, attribute);
    seen.add(canonical);
    return portal;
  });
}

/** `address:port`, IPv6 in brackets. */
export function formatPortal({ address, port }: Portal): string {
  return `${isIPv4(address) ? address : `[${address}]`}:${port}`;
}

/** The same portal for every way of writing its address. */
export function canonicalAddress(address: string): string {
  return isIPv4(address) ? address : new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function parsePortal(text: string, defaultPort: number, attribute: readonly (string | number)[]): Portal {
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const written = parts?.[1] ?? parts?.[2] ?? "";
  const port = Number(parts?.[3] ?? defaultPort);
  if (parts === null || isIP(written) === 0 || (parts[1] === undefined && !isIPv4(written))) {
    const hint = isIP(text) === 6 ? "; an IPv6 address needs brackets" : "";
    throw refused(`${JSON.stringify(text)} is not an IP address and port${hint}`, attribute);
  }
  if (port < 1 || port > 65_535) throw refused(`${port} is not a port`, attribute);
  // Consumers are told the portals, so each has to be an address that they can go to.
  if (written.includes("%")) throw refused(`${text} is an address of one link only`, attribute);
  const address = canonicalAddress(written);
  if (address === "0.0.0.0" || address === "::") {
    throw refused(
      `${text} stands for every address of the host, and is none that consumers can go to`,
      attribute,
    );
  }
  return { address, port };
}

function refused(reason: string, attribute: readonly (string | number)[]): StorageError {
  return new StorageError({
    kind: "InvalidConfiguration",
    action: "use the target's portals",
    reason,
    nextStep: "Give addresses of the storage host as consumers reach them: 10.0.0.5:3260 or [fd00::5]:3260.",
    attribute,
  });
}
