import { type Connection } from "./connection.ts";
import type { DebugLog } from "./log.ts";
import { SessionShell } from "./session-shell.ts";
import { type HostSettings } from "./settings.ts";
/** What a shell is wanted for. Each purpose can always get one, whatever the others hold: that rules deadlocks out. */
export type Purpose = "command" | "lock" | "stream" | "jobs";
/** A shell for one user at a time. */
export interface Lease {
    readonly shell: SessionShell;
    /** Gives the shell back; `reusable` where nothing in it could disturb a later command. */
    release(reusable: boolean): void;
}
/** The session shells of one connection. */
export declare class ShellPool {
    #private;
    constructor(connection: Connection, settings: HostSettings, log: DebugLog, onChannel: () => void);
    /**
     * A shell of one's own, as soon as there is one.
     *
     * @throws StorageError `BackendUnreachable` where the host gives no shell.
     * @throws Aborted where `signal` was.
     * @throws ShellFailure where the connection went: another one may do better.
     */
    lease(purpose: Purpose, signal: AbortSignal): Promise<Lease>;
    /**
     * A shell beyond the limit, for the one who ends process groups.
     *
     * @throws StorageError `BackendUnreachable`, or ShellFailure where the connection went.
     */
    openSpare(): Promise<SessionShell>;
    /** Lets every shell end that is not in use. */
    end(): void;
}
