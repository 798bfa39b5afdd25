/**
 * breezeblock as a library: the contract that storage drivers fulfil, the fleet of configured backends, and the provider
 * with its resources, for engines other than those served here.
 *
 * @module
 */
export * from "./backend/index.ts";
export * from "./contract/index.ts";
