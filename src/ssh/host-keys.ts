import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { StorageError } from "../contract/index.ts";
import { expandHome } from "./home.ts";
import {
  type KnownHostLine,
  keyTypeOf,
  knownHostsName,
  matchKnownHosts,
  parseKnownHosts,
} from "./known-hosts.ts";
import { type HostSettings, settingDefaults } from "./settings.ts";

/** Decides whether a server is the one meant. */
export interface HostKeyVerifier {
  /**
   * Lists of signature algorithms to offer, each for an attempt of its own: a further one is for the case that the server has
   * the expected key too but shows another under the list before.
   */
  readonly offers: readonly (readonly ServerHostKeyAlgorithm[])[];
  /** Undefined where `key` (the wire format of RFC 4253, 6.6) is accepted, otherwise `HostKeyMismatch`. */
  verify(key: Buffer): StorageError | undefined;
}

// ssh-rsa (SHA-1 signatures) is left out on purpose.
const algorithmsOf = new Map<string, readonly ServerHostKeyAlgorithm[]>([
  ["ssh-ed25519", ["ssh-ed25519"]],
  ["ecdsa-sha2-nistp256", ["ecdsa-sha2-nistp256"]],
  ["ecdsa-sha2-nistp384", ["ecdsa-sha2-nistp384"]],
  ["ecdsa-sha2-nistp521", ["ecdsa-sha2-nistp521"]],
  ["ssh-rsa", ["rsa-sha2-512", "rsa-sha2-256"]],
]);
const allAlgorithms = [...algorithmsOf.values()].flat();

/** `SHA256:…` of a public key, as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/**
 * The verifier that the settings ask for.
 *
 * @throws StorageError `InvalidConfiguration` where a pin is no key or the known_hosts file cannot be read.
 */
export function hostKeyVerifier(settings: HostSettings): HostKeyVerifier {
  const policy = settings.hostKeys ?? {};
  if ("insecureAcceptAnyHostKey" in policy) return { offers: [allAlgorithms], verify: () => undefined };
  if ("pinned" in policy) return pinnedKeys(settings, policy.pinned);
  return knownHosts(settings, policy.knownHostsFile);
}

function pinnedKeys(settings: HostSettings, pins: readonly string[]): HostKeyVerifier {
  const keys: Buffer[] = [];
  const fingerprints = new Set<string>();
  for (const pin of pins) {
    const words = pin.trim().split(/\s+/);
    const [first = "", second] = words;
    if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(first) && words.length === 1) {
      fingerprints.add(first.replace(/=$/, ""));
      continue;
    }
    const key = Buffer.from(second ?? "", "base64");
    if (keyTypeOf(key) !== first || first === "") throw invalidPin(settings, pin);
    keys.push(key);
    fingerprints.add(fingerprint(key));
  }
  if (fingerprints.size === 0) throw invalidPin(settings, "");
  const types = keys.map((key) => keyTypeOf(key) ?? "");
  return {
    offers:
      types.length === fingerprints.size
        ? [preferring(types)]
        : // A fingerprint does not say of which type its key is: ask for each type by itself.
          [preferring(types), ...[...algorithmsOf.values()]],
    verify(key) {
      if (fingerprints.has(fingerprint(key))) return undefined;
      return mismatch(
        settings,
        `the server shows ${describeKey(key)}, but ${[...fingerprints].join(" or ")} is pinned`,
        "Find out why the host's key changed. If the change is meant, pin the new key in `host_key`; otherwise somebody may be in between.",
      );
    },
  };
}

function invalidPin(settings: HostSettings, pin: string): StorageError {
  return new StorageError({
    kind: "InvalidConfiguration",
    action: `read the pinned host key of ${settings.name}`,
    reason: `${JSON.stringify(pin)} is no host key`,
    host: settings.name,
    nextStep: 'Write it as "ssh-ed25519 AAAA…" or "SHA256:…" (43 characters).',
  });
}

function knownHosts(settings: HostSettings, configured: string | undefined): HostKeyVerifier {
  const file = expandHome(configured ?? "~/.ssh/known_hosts");
  const lines = parseKnownHosts(readKnownHosts(settings, file, configured !== undefined));
  const port = settings.port ?? settingDefaults.port;
  const { exact, withoutPort } = matchKnownHosts(lines, settings.address, port);
  const usable = exact.filter((line) => line.marker === "none");
  // As OpenSSH does: a key known for the host alone counts for another port too, but its absence there means nothing.
  const spare = withoutPort.filter((line) => line.marker === "none");
  const revoked = [...exact, ...withoutPort].filter((line) => line.marker === "revoked");
  const authorities = exact.filter((line) => line.marker === "cert-authority");
  const name = knownHostsName(settings.address, port);
  return {
    offers: [preferring([...usable, ...spare].map((line) => line.keyType))],
    verify(key) {
      const ban = revoked.find((line) => line.key.equals(key));
      if (ban !== undefined) {
        return mismatch(
          settings,
          `the server shows ${describeKey(key)}, which ${file}:${ban.line} says is revoked`,
          "Give the host a new key, and put that into the file.",
        );
      }
      if ([...usable, ...spare].some((line) => line.key.equals(key))) return undefined;
      if (usable.length > 0) return changedKey(settings, key, file, usable, name);
      return unknownHost(settings, key, file, authorities, name);
    },
  };
}

function readKnownHosts(settings: HostSettings, file: string, mustExist: boolean): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (!mustExist && isMissing(cause)) return "";
    throw new StorageError({
      kind: "InvalidConfiguration",
      action: `read the known host keys in ${file}`,
      reason: cause instanceof Error ? cause.message : String(cause),
      host: settings.name,
      nextStep: "Name a readable known_hosts file, or pin the host's key in `host_key`.",
      cause,
    });
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
}

function changedKey(
  settings: HostSettings,
  key: Buffer,
  file: string,
  known: readonly KnownHostLine[],
  name: string,
): StorageError {
  const type = keyTypeOf(key);
  const sameType = known.filter((line) => line.keyType === type);
  const listed = (sameType.length > 0 ? sameType : known)
    .map((line) => `${line.keyType} ${fingerprint(line.key)} (${file}:${line.line})`)
    .join(", ");
  return mismatch(
    settings,
    `the server shows ${describeKey(key)}, but known is ${listed}`,
    `Find out why the host's key changed. If the change is meant: ssh-keygen -f '${file}' -R '${name}', then add the new key; otherwise somebody may be in between.`,
  );
}

function unknownHost(
  settings: HostSettings,
  key: Buffer,
  file: string,
  authorities: readonly KnownHostLine[],
  name: string,
): StorageError {
  const authority = authorities[0];
  const about =
    authority === undefined
      ? ""
      : ` (${file}:${authority.line} is a @cert-authority line; host certificates are not supported)`;
  return mismatch(
    settings,
    `${file} holds no key for ${name}${about}; the server shows ${describeKey(key)}`,
    `Compare the fingerprint with what "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" prints on the host, then set host_key = "${keyTypeOf(key)} ${key.toString("base64")}".`,
  );
}

function mismatch(settings: HostSettings, reason: string, nextStep: string): StorageError {
  return new StorageError({
    kind: "HostKeyMismatch",
    action: `connect to ${settings.address}:${settings.port ?? settingDefaults.port}`,
    reason,
    nextStep,
    host: settings.name,
  });
}

function describeKey(key: Buffer): string {
  return `the ${keyTypeOf(key) ?? "unknown"} key ${fingerprint(key)}`;
}

/** All algorithms, those for keys of `types` first: a server picks the first that it can. */
function preferring(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = allAlgorithms.filter((algorithm) =>
    types.some((type) => algorithmsOf.get(type)?.includes(algorithm) === true),
  );
  return [...new Set([...known, ...allAlgorithms])];
}
