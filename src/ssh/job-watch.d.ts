import { PassThrough, Writable } from "node:stream";
import type { Argument } from "../contract/index.ts";
/** What watching needs of a host. */
export interface JobWatchHost {
    readonly host: string;
    /** As `Host.stream`, with a shell kept for this purpose. */
    watch(argv: readonly Argument[], streams: {
        readonly stdin: PassThrough;
        readonly stdout: Writable;
    }): Promise<unknown>;
}
/** Waits for the ends of jobs, without asking again and again. */
export declare class JobWatch {
    #private;
    constructor(host: JobWatchHost);
    /**
     * Resolves when `file` is no longer locked exclusively, or gone.
     *
     * @throws StorageError `Cancelled` where `signal` was aborted; `OperationInDoubt` or `BackendUnreachable` where the host was lost.
     */
    ended(file: string, signal?: AbortSignal): Promise<void>;
}
