import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { generateKeyPair } from "../../src/embedded-host/key-pair.ts";
import { endProcesses, markerVariable } from "../../src/embedded-host/processes.ts";
import { findCommand } from "./commands.ts";
import { freePort } from "./free-port.ts";
import { makeTempDirectory, removeDirectory } from "./temp-directory.ts";
import { waitFor } from "./wait-for.ts";

export interface OpenSshOptions {
  /** Who logs in; by default the user who runs the tests. Anyone else needs root. */
  readonly user?: string;
  /** A free port by default. Giving one starts another server, with other host keys, at the same place. */
  readonly port?: number;
  readonly maxSessions?: number;
  /** Public key lines that may log in besides `privateKeyFile`. */
  readonly authorizedKeys?: readonly string[];
  readonly passwordAuthentication?: boolean;
  /** Patterns of environment variables that clients may send. */
  readonly acceptEnv?: readonly string[];
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
}

/** A private sshd on loopback. */
export interface OpenSsh {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeyFile: string;
  /** The ed25519 host key, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** All host keys: ed25519 and rsa. */
  readonly hostKeys: readonly string[];
  readonly knownHostsFile: string;
  /** What sshd has logged so far. */
  log(): string;
  /** Ends sshd, its sessions and everything that was started through them. */
  stop(): Promise<void>;
}

const address = "127.0.0.1";

/** Starts a real sshd of its own, as root or as a normal user. `ensurePackages(["openssh-server"])` comes first. */
export async function startOpenSsh(options: OpenSshOptions = {}): Promise<OpenSsh> {
  const sshd = findCommand("sshd");
  if (sshd === undefined) throw new Error("sshd is not installed; ask ensurePackages first.");
  const directory = makeTempDirectory();
  // sshd reads the authorized keys as the user who logs in.
  chmodSync(directory, 0o755);
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });

  const user = options.user ?? userInfo().username;
  const port = options.port ?? (await freePort());
  const hostKeys = [
    writeKey(join(directory, "host_ed25519"), "ed25519"),
    writeKey(join(directory, "host_rsa"), "rsa"),
  ];
  const [hostKey = ""] = hostKeys;
  const privateKeyFile = join(directory, "user_ed25519");
  const userKey = writeKey(privateKeyFile, "ed25519");
  writeLines(join(directory, "authorized_keys"), [userKey, ...(options.authorizedKeys ?? [])]);
  const knownHostsFile = join(directory, "known_hosts");
  writeLines(
    knownHostsFile,
    hostKeys.map((key) => `[${address}]:${port} ${key}`),
  );

  const marker = randomUUID();
  const configFile = join(directory, "sshd_config");
  writeLines(configFile, configLines(directory, port, user, marker, options));
  const logFile = join(directory, "log");
  const logDescriptor = openSync(logFile, "a", 0o600);
  const server = spawn(sshd, ["-D", "-e", "-f", configFile, ...penaltiesOff(sshd, configFile)], {
    env: { PATH: process.env["PATH"], [markerVariable]: marker },
    stdio: ["ignore", "ignore", logDescriptor],
  });
  closeSync(logDescriptor);
  const log = () => readFileSync(logFile, "utf8");
  const stop = async () => {
    await endProcesses(marker, server.pid === undefined ? [] : [server.pid]);
    removeDirectory(directory);
  };
  try {
    await listening(server, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, port, user, privateKeyFile, hostKey, hostKeys, knownHostsFile, log, stop };
}

function configLines(
  directory: string,
  port: number,
  user: string,
  marker: string,
  options: OpenSshOptions,
): string[] {
  return [
    ...(options.config ?? []),
    `ListenAddress ${address}:${port}`,
    `HostKey ${join(directory, "host_ed25519")}`,
    `HostKey ${join(directory, "host_rsa")}`,
    `PidFile ${join(directory, "pid")}`,
    `AuthorizedKeysFile ${join(directory, "authorized_keys")}`,
    "StrictModes no",
    // Without PAM, sshd refuses an account whose password is locked, whatever key it shows.
    `UsePAM ${isLocked(user) ? "yes" : "no"}`,
    "PermitRootLogin yes",
    "PubkeyAuthentication yes",
    "KbdInteractiveAuthentication no",
    `PasswordAuthentication ${options.passwordAuthentication === true ? "yes" : "no"}`,
    `MaxSessions ${options.maxSessions ?? 10}`,
    "MaxStartups 100",
    "LogLevel VERBOSE",
    "PrintMotd no",
    "UseDNS no",
    `SetEnv ${markerVariable}=${marker}`,
    ...(options.acceptEnv ?? []).map((pattern) => `AcceptEnv ${pattern}`),
  ];
}

/** OpenSSH 9.8 and later would shut loopback out after a few failed logins; earlier ones do not know the word. */
function penaltiesOff(sshd: string, configFile: string): string[] {
  const option = ["-o", "PerSourcePenalties=no"];
  return spawnSync(sshd, ["-t", "-f", configFile, ...option]).status === 0 ? option : [];
}

function isLocked(user: string): boolean {
  try {
    return readFileSync("/etc/shadow", "utf8")
      .split("\n")
      .some((line) => line.startsWith(`${user}:!`));
  } catch {
    // Only root can see it, and only root's sshd looks at it.
    return false;
  }
}

function listening(server: ChildProcess, log: () => string): Promise<unknown> {
  return waitFor("The start of sshd", () => {
    if (server.exitCode !== null || server.signalCode !== null) throw new Error(`sshd ended: ${log()}`);
    return log().includes("Server listening on");
  });
}

function writeKey(file: string, type: "ed25519" | "rsa"): string {
  const pair = type === "rsa" ? ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 }) : generateKeyPair();
  writeFileSync(file, pair.private, { mode: 0o600 });
  return pair.public.trim();
}

function writeLines(file: string, lines: readonly string[]): void {
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o644 });
}
