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
export declare function parseKnownHosts(text: string): KnownHostLine[];
/** The lines for a host; with a port other than 22, those that name the host alone are `withoutPort`. */
export declare function matchKnownHosts(lines: readonly KnownHostLine[], address: string, port: number): {
    readonly exact: KnownHostLine[];
    readonly withoutPort: KnownHostLine[];
};
/** What a host is called in known_hosts: `host`, or `[host]:port` where the port is not 22. */
export declare function knownHostsName(address: string, port: number): string;
/** The type that a public key names itself, in its first field; undefined for what is no key. */
export declare function keyTypeOf(key: Buffer): string | undefined;
