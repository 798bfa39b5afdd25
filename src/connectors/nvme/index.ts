export { createNvmeConnector } from "./driver.ts";
