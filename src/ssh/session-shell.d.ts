import type { ClientChannel } from "ssh2";
import type { ByteWriter } from "./frame-script.ts";
import type { Become } from "./settings.ts";
/** Why a shell is of no use (any more), in words for a message. */
export declare class ShellFailure extends Error {
}
/** A process group on the host: its id, and when its leader started, which tells it from a later one of that id. */
export interface ProcessGroup {
    readonly id: number;
    /** In clock ticks since boot: field 22 of /proc/<pid>/stat. */
    readonly startTime: string;
}
/** A frame on its way through a shell. */
export interface RunningFrame {
    /** Resolves once the command has started; rejects as `ended` does. */
    readonly started: Promise<ProcessGroup | undefined>;
    /** Rejects with `ShellFailure` where the shell went before it had told the end. */
    readonly ended: Promise<FrameEnd>;
}
export interface FrameEnd {
    readonly exitCode: number;
    /** Something of the command's process group is still alive. */
    readonly leftover: boolean;
}
export interface FrameSinks {
    readonly stdout: (chunk: Buffer) => void;
    readonly stderr: (chunk: Buffer) => void;
}
/** A `sh` on a channel of its own, with the host's privilege, that takes one frame at a time. */
export declare class SessionShell {
    #private;
    /** How frames bring small input. */
    readonly writer: ByteWriter;
    /** Tools the host lacks. */
    readonly missing: readonly string[];
    readonly closed: Promise<void>;
    private constructor();
    /**
     * Turns a channel on which `becomeCommand(become, …)` was started into a shell ready for frames.
     *
     * @throws ShellFailure where the privilege is refused or no shell starts within `limitMs`.
     */
    static prepare(channel: ClientChannel, privilege: Privilege, limitMs: number): Promise<SessionShell>;
    get isUsable(): boolean;
    /**
     * Sends a frame. From this call on the command may run.
     *
     * @throws ShellFailure where nothing was sent because the shell is gone.
     */
    send(script: (nonce: string) => Buffer, sinks: FrameSinks): RunningFrame;
    /** What a frame with input from the channel reads. */
    get input(): NodeJS.WritableStream;
    pauseOutput(): void;
    resumeOutput(): void;
    /** Lets the shell end by itself when it has done what it was sent. */
    end(): void;
    /** Gives the shell up: what runs in it is not waited for any longer. */
    abandon(reason: string): void;
}
/** How a shell is started with a privilege. */
export interface Privilege {
    /** For an exec channel; understood by any login shell. */
    readonly command: string;
    /** Printed by the privileged shell when it is there. */
    readonly nonce: string;
    /** What the privilege's tool prints when it wants the password. */
    readonly prompt: string;
    readonly password: string | undefined;
}
export declare function newPrivilege(become: Become): Privilege;
