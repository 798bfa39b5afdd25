import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Client, ClientChannel, ConnectConfig } from "ssh2";
import { isStorageError, StorageError } from "../contract/index.ts";
import { type HostKeyVerifier, hostKeyVerifier } from "./host-keys.ts";
import type { DebugLog } from "./log.ts";
import { type LoginMethod, loginMethods } from "./login.ts";
import { type HostSettings, settingDefaults } from "./settings.ts";

type Ssh2 = typeof import("ssh2");

/** The server would not open another channel: its MaxSessions, most likely. */
export class ChannelRefused extends Error {}

/** A logged-in connection. */
export class Connection {
  readonly #client: Client;
  readonly #jump: Connection | undefined;
  /** Settles when the connection is gone, however that came; never rejects. */
  readonly closed: Promise<void>;
  #isOpen = true;

  constructor(client: Client, jump: Connection | undefined) {
    this.#client = client;
    this.#jump = jump;
    this.closed = new Promise((resolve) => {
      client.once("close", () => {
        this.#isOpen = false;
        jump?.close();
        resolve();
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Starts `command` on a channel of its own.
   *
   * @throws ChannelRefused where the server opens no further channel now.
   */
  exec(command: string): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new Error("the connection is closed"));
        return;
      }
      this.#client.exec(command, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject("reason" in error ? new ChannelRefused(error.message) : error);
      });
    });
  }

  /** A byte stream to a port that the host reaches, for the connection to a further host. */
  forward(address: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      this.#client.forwardOut("127.0.0.1", 0, address, port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  }

  close(): void {
    this.#client.end();
    this.#jump?.close();
  }

  /** Without the courtesy of waiting for what is still to be sent. */
  destroy(): void {
    this.#client.destroy();
    this.#jump?.destroy();
  }
}

/** What could do better after a failed attempt: the same again, another key of the host, or nothing. */
type Remedy = "again" | "other host key" | "none";

class DialFailure extends Error {
  readonly error: StorageError;
  readonly remedy: Remedy;

  constructor(error: StorageError, remedy: Remedy) {
    super(error.message);
    this.error = error;
    this.remedy = remedy;
  }
}

const firstPauseMs = 200;

/**
 * Connects and logs in, through jump hosts where the settings name them.
 *
 * @param onDial called before each attempt at the host itself.
 * @throws StorageError `InvalidConfiguration`, `HostKeyMismatch` or `BackendUnreachable`.
 */
export async function dial(settings: HostSettings, log: DebugLog, onDial: () => void): Promise<Connection> {
  // Loaded here because it takes longer than all else at start-up, and a run may well need no connection.
  const { default: ssh2 } = await import("ssh2");
  const methods = loginMethods(settings, ssh2.utils.parseKey);
  const verifier = hostKeyVerifier(settings);
  const attempts = Math.max(1, settings.dialAttempts ?? settingDefaults.dialAttempts);
  let offer = 0;
  let mismatch: StorageError | undefined;
  for (let attempt = 1; ; ) {
    onDial();
    log.debug("dial", { host: settings.name, address: settings.address, attempt });
    try {
      return await dialOnce(ssh2, settings, log, methods, verifier, offer);
    } catch (cause) {
      if (!(cause instanceof DialFailure)) throw cause;
      log.debug("dial failed", { host: settings.name, attempt, reason: cause.error.reason });
      if (cause.remedy === "other host key") mismatch ??= cause.error;
      if (mismatch !== undefined) {
        offer++;
        if (offer >= verifier.offers.length) throw mismatch;
        continue;
      }
      if (cause.remedy === "none" || attempt >= attempts) throw cause.error;
      await delay(firstPauseMs * 2 ** (attempt - 1));
      attempt++;
    }
  }
}

async function dialOnce(
  ssh2: Ssh2,
  settings: HostSettings,
  log: DebugLog,
  methods: readonly LoginMethod[],
  verifier: HostKeyVerifier,
  offer: number,
): Promise<Connection> {
  const port = settings.port ?? settingDefaults.port;
  const jump =
    settings.jumpHost === undefined ? undefined : await dialJumpHost(settings, settings.jumpHost, log);
  try {
    const sock = await jump?.forward(settings.address, port).catch((cause: unknown) => {
      throw failure(
        settings,
        `jump host "${settings.jumpHost?.name}" cannot reach it: ${words(cause)}`,
        "again",
        cause,
      );
    });
    const client = new ssh2.Client();
    await handshake(client, settings, methods, verifier, {
      host: settings.address,
      port,
      ...(sock === undefined ? {} : { sock }),
      username: settings.user,
      algorithms: { serverHostKey: [...(verifier.offers[offer] ?? [])] },
      // The timer in `handshake` covers all of an attempt.
      readyTimeout: 0,
      keepaliveInterval: settings.keepAliveIntervalMs ?? settingDefaults.keepAliveIntervalMs,
      keepaliveCountMax: 3,
      strictVendor: false,
    });
    return new Connection(client, jump);
  } catch (cause) {
    jump?.destroy();
    throw cause;
  }
}

async function dialJumpHost(
  settings: HostSettings,
  jumpHost: HostSettings,
  log: DebugLog,
): Promise<Connection> {
  try {
    return await dial(jumpHost, log, () => {});
  } catch (cause) {
    // It has had attempts of its own.
    if (isStorageError(cause)) throw new DialFailure(viaJumpHost(settings, cause), "none");
    throw cause;
  }
}

function viaJumpHost(settings: HostSettings, cause: StorageError): StorageError {
  return new StorageError({
    kind: cause.kind,
    action: `connect to ${settings.name} through its jump host "${cause.host}"`,
    reason: cause.reason,
    nextStep: cause.nextStep,
    host: cause.host,
    cause,
  });
}

/** Resolves when the login is accepted; a client that failed is destroyed. */
function handshake(
  client: Client,
  settings: HostSettings,
  methods: readonly LoginMethod[],
  verifier: HostKeyVerifier,
  config: ConnectConfig,
): Promise<void> {
  const limit = settings.perDialTimeoutMs ?? settingDefaults.perDialTimeoutMs;
  const tried: string[] = [];
  const remaining = [...methods];
  let negotiated = false;
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (finish: () => void) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      finish();
    };
    const fail = (reason: DialFailure) =>
      settle(() => {
        client.destroy();
        reject(reason);
      });
    const rejected = (by: string) =>
      fail(
        failure(
          settings,
          `the login as "${settings.user}" was rejected (tried: ${tried.join("; ") || "nothing the server allows"})${by}`,
          "none",
          undefined,
          "Check the user name, and that the host accepts one of these.",
        ),
      );
    const timer = setTimeout(() => {
      const stage = negotiated ? "the login was not accepted" : "no connection was made";
      fail(failure(settings, `${stage} within ${limit} ms`, "again"));
    }, limit);
    // Frames are small, and each waits for the answer to the one before.
    client.once("connect", () => client.setNoDelay(true));
    client.once("ready", () => settle(resolve));
    client.once("handshake", () => {
      negotiated = true;
    });
    // Stays when the login is done: ssh2 tells by this event why a connection is about to close, and whoever waits on it hears
    // of it by the close.
    client.on("error", (error) => {
      if (settled) return;
      if (error.level === "agent") {
        tried[tried.length - 1] += ` (${error.message || "no answer"})`;
      } else if (
        error.level === "client-authentication" ||
        (negotiated && "code" in error && error.level === undefined)
      ) {
        rejected(error.level === undefined ? `: ${error.message}` : "");
      } else {
        fail(failure(settings, dialWords(error), isWorthAnotherTry(error) ? "again" : "none", error));
      }
    });
    client.once("close", () => {
      const stage = negotiated ? "during the login" : "before the key exchange was done";
      fail(failure(settings, `the connection was closed ${stage}`, "again"));
    });
    client.once("change password", () => rejected(": the password has expired"));
    try {
      client.connect({
        ...config,
        // ssh2 accepts every key where this is missing, so there is no way past this line.
        hostVerifier: (key: Buffer) => {
          const refusal = verifier.verify(key);
          if (refusal === undefined) return true;
          fail(new DialFailure(refusal, "other host key"));
          return false;
        },
        authHandler: (left, _partial, next) => {
          // Before the first answer, ssh2 gives null: what the server allows is not known.
          const allowed: readonly string[] | null = left;
          let method = remaining.shift();
          while (method !== undefined && allowed !== null && !allowed.includes(method.serverMethod)) {
            method = remaining.shift();
          }
          if (method === undefined) return rejected("");
          tried.push(method.label);
          next(method.offer);
        },
      });
    } catch (cause) {
      fail(failure(settings, words(cause), "none", cause));
    }
  });
}

function failure(
  settings: HostSettings,
  reason: string,
  remedy: Remedy,
  cause?: unknown,
  nextStep?: string,
): DialFailure {
  const port = settings.port ?? settingDefaults.port;
  const error = new StorageError({
    kind: "BackendUnreachable",
    action: `connect to ${settings.user}@${settings.address}:${port}`,
    reason,
    nextStep: nextStep ?? "Check the address, the port and that the host's SSH server runs.",
    host: settings.name,
    cause,
  });
  return new DialFailure(error, remedy);
}

const passing = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/** What may pass by itself: a host that is starting, a full backlog, a lost packet. */
function isWorthAnotherTry(error: Error & { level?: string }): boolean {
  if ("code" in error && typeof error.code === "string") return passing.has(error.code);
  return error.level === "protocol" && error.message === "Connection lost before handshake";
}

function dialWords(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  if (code === "ECONNREFUSED") return "the connection was refused";
  if (code === "ENOTFOUND") return "the name cannot be resolved";
  if (error.message === "Connection lost before handshake") {
    return "the connection was closed before the key exchange was done";
  }
  return words(error);
}

function words(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
