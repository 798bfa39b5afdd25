import type { ServerHostKeyAlgorithm } from "ssh2";
import { StorageError } from "../contract/index.ts";
import { type HostSettings } from "./settings.ts";
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
/** `SHA256:…` of a public key, as `ssh-keygen -l` prints it. */
export declare function fingerprint(key: Buffer): string;
/**
 * The verifier that the settings ask for.
 *
 * @throws StorageError `InvalidConfiguration` where a pin is no key or the known_hosts file cannot be read.
 */
export declare function hostKeyVerifier(settings: HostSettings): HostKeyVerifier;
