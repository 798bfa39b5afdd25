import { readFileSync } from "node:fs";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import { StorageError } from "../contract/index.ts";
import { expandHome } from "./home.ts";
import type { HostSettings } from "./settings.ts";

/** One way to log in. */
export interface LoginMethod {
  /** For messages: `agent /run/agent.sock`. */
  readonly label: string;
  /** What the server calls it. */
  readonly serverMethod: "publickey" | "password" | "keyboard-interactive";
  readonly offer: AnyAuthMethod;
}

type ParseKey = (data: string, passphrase?: string) => ParsedKey | ParsedKey[] | Error;

/**
 * The ways to log in that the settings give, in the order to try them.
 *
 * @throws StorageError `InvalidConfiguration` where there is none, a file or variable is missing, or a key cannot be opened.
 */
export function loginMethods(settings: HostSettings, parseKey: ParseKey): LoginMethod[] {
  const { auth, user: username } = settings;
  const methods: LoginMethod[] = [];
  if (auth.agentSocket !== undefined) {
    const agent = expandHome(auth.agentSocket);
    methods.push({
      label: `agent ${agent}`,
      serverMethod: "publickey",
      offer: { type: "agent", username, agent },
    });
  }
  for (const { label, text } of privateKeys(settings)) {
    const key = openKey(settings, label, text, parseKey);
    methods.push({ label, serverMethod: "publickey", offer: { type: "publickey", username, key } });
  }
  const password = loginPassword(settings);
  if (password !== undefined) {
    methods.push(
      { label: "password", serverMethod: "password", offer: { type: "password", username, password } },
      {
        label: "keyboard-interactive",
        serverMethod: "keyboard-interactive",
        offer: {
          type: "keyboard-interactive",
          username,
          prompt: (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.map((prompt) => (prompt.echo === true ? "" : password))),
        },
      },
    );
  }
  if (methods.length === 0) {
    throw invalid(settings, "no way to log in is given", "Give an agent, a private key or a password.");
  }
  return methods;
}

/** Every secret in the settings of a host and those on the way to it, for masking. */
export function secretsOf(settings: HostSettings): string[] {
  const { auth, become, jumpHost } = settings;
  const own = [
    auth.privateKey,
    auth.passphrase,
    auth.password,
    auth.passwordEnvironment === undefined ? undefined : process.env[auth.passwordEnvironment],
    become?.method === "sudo" ? become.password : undefined,
  ].filter((secret): secret is string => secret !== undefined && secret !== "");
  return jumpHost === undefined ? own : [...own, ...secretsOf(jumpHost)];
}

function privateKeys(settings: HostSettings): { label: string; text: string }[] {
  const { privateKey, privateKeyFile } = settings.auth;
  const keys: { label: string; text: string }[] = [];
  if (privateKeyFile !== undefined) {
    const file = expandHome(privateKeyFile);
    keys.push({ label: `private key ${file}`, text: readKeyFile(settings, file) });
  }
  if (privateKey !== undefined) keys.push({ label: "the given private key", text: privateKey });
  return keys;
}

function readKeyFile(settings: HostSettings, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(
      settings,
      `the private key ${file} cannot be read: ${reason}`,
      "Name a file that is there.",
      cause,
    );
  }
}

function openKey(settings: HostSettings, label: string, text: string, parseKey: ParseKey): ParsedKey {
  const { passphrase } = settings.auth;
  const parsed = parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error) {
    // ssh2's words for a wrong passphrase vary with the format; those for a missing one all say so.
    const words = key?.message ?? "there is no key in it";
    const missing = passphrase === undefined && /passphrase/i.test(words);
    const wrong = passphrase !== undefined && /integrity|decrypt|passphrase/i.test(words);
    if (missing) throw invalid(settings, `${label} needs a passphrase`, "Give it as `passphrase`.");
    if (wrong) throw invalid(settings, `the passphrase does not open ${label}`, "Correct `passphrase`.");
    throw invalid(settings, `${label} cannot be read: ${words}`, "Give an OpenSSH, PEM or PPK private key.");
  }
  if (!key.isPrivateKey()) {
    throw invalid(settings, `${label} is a public key`, "Name the private one, without .pub.");
  }
  return key;
}

function loginPassword(settings: HostSettings): string | undefined {
  const { password, passwordEnvironment } = settings.auth;
  if (password !== undefined || passwordEnvironment === undefined) return password;
  const value = process.env[passwordEnvironment];
  if (value === undefined) {
    throw invalid(
      settings,
      `the environment variable ${passwordEnvironment} is not set`,
      "Set it to the password.",
    );
  }
  return value;
}

function invalid(settings: HostSettings, reason: string, nextStep: string, cause?: unknown): StorageError {
  return new StorageError({
    kind: "InvalidConfiguration",
    action: `log in to ${settings.name}`,
    reason,
    nextStep,
    host: settings.name,
    cause,
  });
}
