/**
 * breezeblock as a library: the contract that storage drivers fulfil, and the fleet of configured backends.
 *
 * @module
 */
export * from "./backend/index.ts";
export * from "./contract/index.ts";
