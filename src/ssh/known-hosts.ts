import { createHmac, timingSafeEqual } from "node:crypto";

/** A line of a known_hosts file, in the format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHostLine {
  /** 1 is the first. */
  readonly line: number;
  readonly marker: "none" | "revoked" | "cert-authority";
  /** The first field: comma-separated patterns, or one hashed name. */
  readonly names: string;
  /** `ssh-ed25519` and the like. */
  readonly keyType: string;
  readonly key: Buffer;
}

/** The lines that say something; comments, empty and malformed ones are left out, as OpenSSH does. */
export function parseKnownHosts(text: string): KnownHostLine[] {
  const lines: KnownHostLine[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    const words = content.trim().split(/[ \t]+/);
    const marker = takeMarker(words);
    const [names, keyType, encoded] = words;
    if (marker === undefined || names === undefined || names === "" || names.startsWith("#")) continue;
    if (keyType === undefined || encoded === undefined) continue;
    const key = Buffer.from(encoded, "base64");
    if (keyTypeOf(key) !== keyType) continue;
    lines.push({ line: index + 1, marker, names, keyType, key });
  }
  return lines;
}

function takeMarker(words: string[]): KnownHostLine["marker"] | undefined {
  if (words[0]?.startsWith("@") !== true) return "none";
  const marker = words.shift();
  if (marker === "@revoked") return "revoked";
  if (marker === "@cert-authority") return "cert-authority";
  return undefined;
}

/** The lines for a host; with a port other than 22, those that name the host alone are `withoutPort`. */
export function matchKnownHosts(
  lines: readonly KnownHostLine[],
  address: string,
  port: number,
): { readonly exact: KnownHostLine[]; readonly withoutPort: KnownHostLine[] } {
  const host = address.toLowerCase();
  const exact = knownHostsName(host, port);
  return {
    exact: lines.filter((line) => matchesNames(line.names, exact)),
    withoutPort: port === 22 ? [] : lines.filter((line) => matchesNames(line.names, host)),
  };
}

/** What a host is called in known_hosts: `host`, or `[host]:port` where the port is not 22. */
export function knownHostsName(address: string, port: number): string {
  return port === 22 ? address : `[${address}]:${port}`;
}

function matchesNames(names: string, name: string): boolean {
  if (names.startsWith("|")) return matchesHashed(names, name);
  let matches = false;
  for (const pattern of names.toLowerCase().split(",")) {
    if (pattern.startsWith("!")) {
      if (matchesPattern(pattern.slice(1), name)) return false;
    } else if (matchesPattern(pattern, name)) {
      matches = true;
    }
  }
  return matches;
}

/** `|1|<salt>|<HMAC-SHA1 of the name>`, both base64. */
function matchesHashed(field: string, name: string): boolean {
  const [, version, salt, hash] = field.split("|");
  if (version !== "1" || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(name);
}

/** The type that a public key names itself, in its first field; undefined for what is no key. */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const length = key.readUInt32BE(0);
  if (length === 0 || length > 64 || key.length < 4 + length) return undefined;
  return key.toString("latin1", 4, 4 + length);
}
