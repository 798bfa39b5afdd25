import { Readable, type Writable } from "node:stream";
import { type Argument } from "../contract/index.ts";
import { type CommandContext } from "./command.ts";
import type { GroupEnder } from "./process-groups.ts";
import type { SessionShell } from "./session-shell.ts";
export interface StreamEnds {
    readonly stdin?: Readable | undefined;
    readonly stdout?: Writable | undefined;
}
/**
 * Runs one command in a shell that ends with it, its input and output being the streams'.
 *
 * The input is destroyed where the command ends without having read it all. The output is not ended: that is for its owner.
 *
 * @throws ShellFailure where nothing was sent.
 * @throws StorageError `OperationInDoubt`, `Cancelled`, or `VolumeBackendError` where one of the streams failed (the command is ended then).
 */
export declare function runStream(context: CommandContext, shell: SessionShell, ender: GroupEnder, argv: readonly Argument[], streams: StreamEnds, options: {
    readonly timeoutMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
}): Promise<{
    readonly stderr: Buffer;
    readonly exitCode: number;
}>;
