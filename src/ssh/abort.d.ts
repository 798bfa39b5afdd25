/** What was waited for is no longer wanted. */
export declare class Aborted extends Error {
}
export declare function anySignal(signal: AbortSignal, other: AbortSignal | undefined): AbortSignal;
/** `promise`, or `Aborted` where `signal` is sooner; what `promise` stands for goes on. */
export declare function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T>;
