/** One holder a key, in the order of asking. */
export declare class FairMutex {
    #private;
    /** Resolves to the release once it is one's turn; rejects with `Aborted` where `signal` was, leaving the turn to the next. */
    take(key: string, signal: AbortSignal): Promise<() => void>;
}
