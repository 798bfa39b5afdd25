import type { Executor } from "../contract/index.ts";
import { StorageError } from "../contract/index.ts";
import { type CommandContext } from "./command.ts";
import type { GroupEnder } from "./process-groups.ts";
import { type SessionShell } from "./session-shell.ts";
export declare const lockDefaults: {
    readonly waitMs: 300000;
};
export interface LockedShellOptions {
    /** How long to wait for another process that holds the lock. */
    readonly waitMs: number;
    /** Ends the waiting. */
    readonly waitSignal: AbortSignal;
    /** Ends what runs under the lock, as each command's own signal does. */
    readonly runSignal: AbortSignal;
    /** For commands that say nothing of their own. */
    readonly runTimeoutMs: number;
}
/** A shell that holds an exclusive `flock`, and the commands run under it, one after the other. */
export declare class LockedShell {
    #private;
    private constructor();
    /**
     * Takes the lock.
     *
     * @throws ShellFailure where the shell went before any command was sent.
     * @throws StorageError `VolumeBackendError` where it stays taken or the file cannot be opened; `Cancelled`.
     */
    static take(context: CommandContext, shell: SessionShell, ender: GroupEnder, file: string, options: LockedShellOptions): Promise<LockedShell>;
    get executor(): Executor;
    /** Gives the lock up once what runs under it has ended; true where the shell is fit for further use. */
    release(): Promise<boolean>;
}
/** In words of a lock that stayed with somebody else. */
export declare function lockTaken(context: CommandContext, file: string, waitMs: number): StorageError;
