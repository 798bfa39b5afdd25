export { provider } from "./provider/provider.ts";
export * from "./schema/index.ts";
