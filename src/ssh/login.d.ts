import type { AnyAuthMethod, ParsedKey } from "ssh2";
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
export declare function loginMethods(settings: HostSettings, parseKey: ParseKey): LoginMethod[];
/** Every secret in the settings of a host and those on the way to it, for masking. */
export declare function secretsOf(settings: HostSettings): string[];
export {};
