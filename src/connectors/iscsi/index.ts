export { createIscsiConnector } from "./driver.ts";
