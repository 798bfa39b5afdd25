import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import type { DebugLog } from "./log.ts";
import { type HostSettings } from "./settings.ts";
/** The server would not open another channel: its MaxSessions, most likely. */
export declare class ChannelRefused extends Error {
}
/** A logged-in connection. */
export declare class Connection {
    #private;
    /** Settles when the connection is gone, however that came; never rejects. */
    readonly closed: Promise<void>;
    constructor(client: Client, jump: Connection | undefined);
    get isOpen(): boolean;
    /**
     * Starts `command` on a channel of its own.
     *
     * @throws ChannelRefused where the server opens no further channel now.
     */
    exec(command: string): Promise<ClientChannel>;
    /** A byte stream to a port that the host reaches, for the connection to a further host. */
    forward(address: string, port: number): Promise<Duplex>;
    close(): void;
    /** Without the courtesy of waiting for what is still to be sent. */
    destroy(): void;
}
/**
 * Connects and logs in, through jump hosts where the settings name them.
 *
 * @param onDial called before each attempt at the host itself.
 * @throws StorageError `InvalidConfiguration`, `HostKeyMismatch` or `BackendUnreachable`.
 */
export declare function dial(settings: HostSettings, log: DebugLog, onDial: () => void): Promise<Connection>;
