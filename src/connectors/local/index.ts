export { createLocalConnector } from "./driver.ts";
