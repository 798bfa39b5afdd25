/**
 * The process in which constructs are generated.
 *
 *     node providers/cdk/generator.ts cdktn|cdktf SCHEMA DIRECTORY
 */
import { readFile } from "node:fs/promises";
import { constructSchema } from "./construct-schema.ts";

const [library, schemaFile = "", directory = ""] = process.argv.slice(2);
const { generateProviderBindingsFromSchema } =
  library === "cdktf" ? await import("@cdktf/provider-generator") : await import("@cdktn/provider-generator");
const schemas = JSON.parse(await readFile(schemaFile, "utf8")) as Parameters<
  typeof generateProviderBindingsFromSchema
>[1];
await generateProviderBindingsFromSchema(directory, constructSchema(schemas));
