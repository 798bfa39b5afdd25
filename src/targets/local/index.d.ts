export { createLocalTarget } from "./target.ts";
