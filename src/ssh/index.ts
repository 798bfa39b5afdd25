/**
 * Hosts over SSH: connection, host keys, session shells, locks, jobs and streams.
 *
 * @example
 * const host = openHost({ name: "nas", address: "192.0.2.7", user: "storage", auth: { privateKeyFile: "~/.ssh/id_ed25519" } });
 * const { stdout } = await host.run(["uname", "-r"]);
 * await host.close();
 */
export { type CountedHost, type HostStats, type OpenHostOptions, openHost } from "./host.ts";
export { type JobListing, type JobRecord, type JobStatus, listJobs } from "./job-records.ts";
export type { DebugLog } from "./log.ts";
export { displayCommand, quote } from "./quote.ts";
export type { Become, HostAuth, HostKeyPolicy, HostSettings } from "./settings.ts";
