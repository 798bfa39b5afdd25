import type { Host } from "../contract/index.ts";
import { type DebugLog } from "./log.ts";
import type { HostSettings } from "./settings.ts";
/** What has happened on a host since it was opened. */
export interface HostStats {
    /** Attempts to connect; those to jump hosts are not counted. */
    readonly dials: number;
    /** Session channels opened. */
    readonly channels: number;
    /** Remote commands started: `run`, `stream`, and what locks and jobs run for themselves. */
    readonly commands: number;
}
export interface OpenHostOptions {
    readonly log?: DebugLog | undefined;
}
/** A host with counters, for tests that assert how much was asked of it. */
export interface CountedHost extends Host {
    stats(): HostStats;
}
/**
 * The host behind `settings`. Nothing is sent before the first command; then one connection is made, used by all
 * commands, and made anew when it was lost.
 *
 * Its methods throw `InvalidConfiguration` where the settings turn out wrong (no such key file, no passphrase).
 * Take no lock while holding another: those who wait inside could keep each other from their shells.
 */
export declare function openHost(settings: HostSettings, options?: OpenHostOptions): CountedHost;
