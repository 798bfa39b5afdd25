import type { Argument, CommandResult, JobOptions, JobResult, JobSpec } from "../contract/index.ts";
import { type JobWatchHost } from "./job-watch.ts";
/** What jobs need of a host. */
export interface JobHost extends JobWatchHost {
    readonly host: string;
    run(argv: readonly Argument[], options: {
        readonly signal?: AbortSignal | undefined;
    }): Promise<CommandResult>;
}
/** Detached, durable jobs on one host. */
export declare class Jobs {
    #private;
    constructor(host: JobHost);
    /** As `Host.runJob`. */
    run(job: JobSpec, options: JobOptions): Promise<JobResult>;
    /** As `Host.forgetJob`. */
    forget(job: Pick<JobSpec, "id" | "directory">): Promise<void>;
}
