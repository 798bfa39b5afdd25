import { randomUUID } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2 from "ssh2";
import { generateKeyPair } from "./key-pair.ts";

/** The keys of one embedded host. They belong to its directory and are used by nothing else. */
export interface HostIdentity {
  /** Private host key in OpenSSH format. */
  readonly hostPrivateKey: string;
  /** Public host key as `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** File of the private key that may log in, OpenSSH format, mode 0600. */
  readonly userPrivateKeyFile: string;
  /** The only key that may log in. */
  readonly userKey: ssh2.ParsedKey;
}

/** The room inside a host's directory that holds its keys; never listed as a volume. */
export const identityDirectoryName = ".breezeblock-host";

/** Reads the keys that `directory` has, or makes them. Two processes that start at once end with the same keys. */
export async function loadIdentity(directory: string): Promise<HostIdentity> {
  const keys = join(directory, identityDirectoryName);
  await mkdir(keys, { recursive: true, mode: 0o700 });
  await chmod(keys, 0o700);
  const host = await loadKey(join(keys, "host_ed25519"), "breezeblock embedded host");
  const user = await loadKey(join(keys, "user_ed25519"), "breezeblock embedded host user");
  return {
    hostPrivateKey: host.privateKey,
    hostKey: publicKeyLine(host.parsed),
    userPrivateKeyFile: user.file,
    userKey: user.parsed,
  };
}

async function loadKey(file: string, comment: string) {
  await createKey(file, comment);
  const privateKey = await readFile(file, "utf8");
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw new Error(`${file} is not a private key: ${parsed.message}`);
  return { file, privateKey, parsed };
}

/** A link appears whole or not at all, so that nobody ever reads half a key. */
async function createKey(file: string, comment: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  const pair = generateKeyPair(comment);
  await writeFile(draft, pair.private, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, file);
    await writeFile(`${file}.pub`, `${pair.public}\n`, { mode: 0o644 });
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function publicKeyLine(key: ssh2.ParsedKey): string {
  return `${key.type} ${key.getPublicSSH().toString("base64")}`;
}
