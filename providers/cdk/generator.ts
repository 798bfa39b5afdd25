/**
 * The process in which constructs are generated.
 *
 *     node providers/cdk/generator.ts cdktn|cdktf SCHEMA DIRECTORY
 */
import { readFile } from "node:fs/promises";

const [library, schemaFile = "", directory = ""] = process.argv.slice(2);
const { generateProviderBindingsFromSchema } =
  library === "cdktf" ? await import("@cdktf/provider-generator") : await import("@cdktn/provider-generator");
await generateProviderBindingsFromSchema(directory, JSON.parse(await readFile(schemaFile, "utf8")));
