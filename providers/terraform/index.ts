export { main, type ServedProvider, serveForTest } from "./serve.ts";
