/**
 * breezeblock for Pulumi programs: `import * as breezeblock from "breezeblock/pulumi"`.
 *
 * @module
 */
export * from "./generated/resources.ts";
export { dynamicProvider } from "./resource-class.ts";
