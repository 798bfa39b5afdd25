import type { Argument, CommandResult } from "../contract/index.ts";
import { StorageError } from "../contract/index.ts";
import { type FrameInput } from "./frame-script.ts";
import type { DebugLog } from "./log.ts";
import { type GroupEnder } from "./process-groups.ts";
import { type FrameSinks, type RunningFrame, type SessionShell } from "./session-shell.ts";
/** What commands on one host have in common. */
export interface CommandContext {
    readonly host: string;
    readonly log: DebugLog;
    readonly secrets: readonly string[];
    readonly onCommand: () => void;
}
export interface FrameOptions {
    readonly input: FrameInput;
    readonly lock: boolean;
    readonly timeoutMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
}
/** What a command's run says about its shell, too. */
export interface FrameOutcome {
    readonly exitCode: number;
    /** Nothing of the command is left that could write into a later command's output. */
    readonly isClean: boolean;
}
/** A command whose output was not kept apart by the caller. */
export declare function collectFrame(context: CommandContext, shell: SessionShell, ender: GroupEnder, argv: readonly Argument[], options: FrameOptions): Promise<CommandResult & FrameOutcome>;
/**
 * Runs one command in a shell that is the caller's alone.
 *
 * @param begin called once the frame is sent; a rejection of what it returns ends the command, and is thrown.
 * @throws ShellFailure where nothing was sent.
 * @throws StorageError `OperationInDoubt` or `Cancelled` otherwise.
 */
export declare function runFrame(context: CommandContext, shell: SessionShell, ender: GroupEnder, argv: readonly Argument[], options: FrameOptions, sinks: FrameSinks, begin?: (frame: RunningFrame) => Promise<never>): Promise<FrameOutcome>;
/** A command that never started because its caller wanted no more of it. */
export declare function cancelledBefore(context: CommandContext, argv: readonly Argument[]): StorageError;
/** A command that never started because there was no shell for it. */
export declare function neverStarted(context: CommandContext, argv: readonly Argument[], cause: unknown): StorageError;
