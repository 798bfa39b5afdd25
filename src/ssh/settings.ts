/** How to prove who we are. Those that are given are tried in this order: agent, private key, password. */
export interface HostAuth {
  /** Socket of an ssh-agent; `~` is expanded. */
  readonly agentSocket?: string | undefined;
  /** File with a private key (OpenSSH, PEM or PPK); `~` is expanded. */
  readonly privateKeyFile?: string | undefined;
  /** The private key itself. Secret. */
  readonly privateKey?: string | undefined;
  /** Opens `privateKeyFile` or `privateKey`. Secret. */
  readonly passphrase?: string | undefined;
  /** For password and keyboard-interactive logins. Secret. */
  readonly password?: string | undefined;
  /** Name of an environment variable that holds the password. */
  readonly passwordEnvironment?: string | undefined;
}

/** How the server proves who it is. */
export type HostKeyPolicy =
  | {
      /** `ssh-ed25519 AAAA…` (a comment may follow) or `SHA256:…`; any of them is accepted. */
      readonly pinned: readonly string[];
    }
  | {
      /** An OpenSSH known_hosts file; default `~/.ssh/known_hosts`. */
      readonly knownHostsFile?: string | undefined;
    }
  | {
      /** Any key is accepted: whoever answers at the address gets every command. For experiments only. */
      readonly insecureAcceptAnyHostKey: true;
    };

/** How commands gain another user's privilege; applies to every command on the host. */
export type Become =
  | { readonly method: "none" }
  | {
      readonly method: "sudo";
      /** Given to sudo on its standard input when it asks. Secret. Without it sudo must not ask (NOPASSWD). */
      readonly password?: string | undefined;
    }
  | { readonly method: "doas" };

/** A host and the way to it: plain data. */
export interface HostSettings {
  /** For messages. */
  readonly name: string;
  readonly address: string;
  /** Default 22. */
  readonly port?: number | undefined;
  readonly user: string;
  readonly auth: HostAuth;
  /** Default: `~/.ssh/known_hosts`. */
  readonly hostKeys?: HostKeyPolicy | undefined;
  /** Default `none`. */
  readonly become?: Become | undefined;
  /** The host through which this one is reached. Its `become` and `maxSessionShells` have no part in that. */
  readonly jumpHost?: HostSettings | undefined;
  /** How often to try to connect before giving up, default 3. */
  readonly dialAttempts?: number | undefined;
  /** Limit for one attempt, from the first packet to the accepted login, in milliseconds, default 15,000. */
  readonly perDialTimeoutMs?: number | undefined;
  /** In milliseconds, default 15,000; the connection counts as lost after three without answer. 0 is off. */
  readonly keepAliveIntervalMs?: number | undefined;
  /** Session shells for ordinary commands, 1 to 4, default 4. Locks and streams have channels beyond these. */
  readonly maxSessionShells?: number | undefined;
}

export const settingDefaults = {
  port: 22,
  dialAttempts: 3,
  perDialTimeoutMs: 15_000,
  keepAliveIntervalMs: 15_000,
  maxSessionShells: 4,
} as const;
