export { emitSchemaJson, type SchemaJson } from "./schema/schema-json.ts";
export { main, type ServedProvider, serveForTest } from "./serve.ts";
