import { type ProcessGroup } from "./session-shell.ts";
import type { ShellPool } from "./shell-pool.ts";
/** What became of a process group that was to end. */
export type GroupEnd = "gone" | "terminated" | "killed" | "alive";
/** Ends remote process groups with a shell of its own, so that it need not wait for those that are stuck. */
export declare class GroupEnder {
    #private;
    constructor(pool: ShellPool);
    /** TERM, then KILL to what is still there after three seconds. Rejects where the host does not answer. */
    end(group: ProcessGroup): Promise<GroupEnd>;
    close(): void;
}
/** The sentence about it for a message. */
export declare function describeGroupEnd(end: GroupEnd): string;
