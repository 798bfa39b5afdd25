/** Where the room reports what it does. Messages and fields never hold a secret or a command's standard input. */
export interface DebugLog {
    debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
export declare const silentLog: DebugLog;
