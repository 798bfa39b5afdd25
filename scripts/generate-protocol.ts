/**
 * Writes `providers/terraform/protocol/generated` from the `.proto` files beside it.
 *
 *     node scripts/generate-protocol.ts [--check]
 *
 * `--check` writes nothing and fails when a file is not what it would write.
 */
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import protobuf from "protobufjs";

const room = new URL("../providers/terraform/protocol/", import.meta.url);
const sources = ["tfplugin6.proto", "plugin.proto", "health.proto"];

const scalarKinds: Readonly<Record<string, { kind: string; type: string }>> = {
  string: { kind: "string", type: "string" },
  bytes: { kind: "bytes", type: "Uint8Array" },
  bool: { kind: "bool", type: "boolean" },
  int64: { kind: "integer", type: "number" },
  uint32: { kind: "integer", type: "number" },
};

/** `GetMetadata.Response` becomes `GetMetadataResponse`. */
function typeName(object: protobuf.ReflectionObject): string {
  const parent = object.parent;
  return (parent instanceof protobuf.Type ? typeName(parent) : "") + object.name;
}

function emitEnum(declared: protobuf.Enum): string {
  const name = typeName(declared);
  const members = Object.entries(declared.values).map(([member, value]) => `  ${member}: ${value},\n`);
  return (
    `export const ${name} = {\n${members.join("")}} as const;\n` +
    `export type ${name} = (typeof ${name})[keyof typeof ${name}];\n`
  );
}

interface EmittedField {
  readonly member: string;
  readonly row: string;
}

function emitField(field: protobuf.Field): EmittedField {
  field.resolve();
  const name = protobuf.util.camelCase(field.name);
  const { kind, type, message } = fieldType(field);
  const shape = field.map
    ? "map"
    : field.repeated
      ? "repeated"
      : field.partOf !== null || kind === "message"
        ? "present"
        : "single";
  const memberType = {
    map: `ReadonlyMap<string, ${type}>`,
    repeated: `readonly ${type}[]`,
    present: `${type} | undefined`,
    single: type,
  }[shape];
  const suffix = message === undefined ? "" : `, message: () => ${message}`;
  return {
    member: `  readonly ${name}: ${memberType};\n`,
    row: `  { number: ${field.id}, name: "${name}", kind: "${kind}", shape: "${shape}"${suffix} },\n`,
  };
}

function fieldType(field: protobuf.Field): { kind: string; type: string; message?: string } {
  const scalar = scalarKinds[field.type];
  if (scalar !== undefined) return scalar;
  const resolved = field.resolvedType;
  if (resolved instanceof protobuf.Enum) return { kind: "enum", type: typeName(resolved) };
  if (resolved instanceof protobuf.Type) {
    return { kind: "message", type: typeName(resolved), message: typeName(resolved) };
  }
  throw new Error(`${field.fullName} has the type ${field.type}, which message.ts does not know.`);
}

/** A message that has no fields of its own only holds others, unless something refers to it. */
function emitMessage(declared: protobuf.Type): string {
  const inner = declared.nestedArray.map(emitObject).join("\n");
  const name = typeName(declared);
  const fields = declared.fieldsArray.map(emitField);
  if (fields.length === 0 && declared.nestedArray.length > 0) return inner;
  const members =
    fields.length === 0
      ? `export type ${name} = Readonly<Record<never, never>>;\n`
      : `export interface ${name} {\n${fields.map(({ member }) => member).join("")}}\n`;
  const rows = fields.length === 0 ? "[]" : `[\n${fields.map(({ row }) => row).join("")}]`;
  return (
    (inner === "" ? "" : `${inner}\n`) +
    `${members}export const ${name}: MessageType<${name}> = messageType(${rows});\n`
  );
}

function emitService(declared: protobuf.Service): string {
  const rows = declared.methodsArray.map((method) => {
    method.resolve();
    const request = method.resolvedRequestType;
    const response = method.resolvedResponseType;
    if (request === null || response === null) throw new Error(`${method.fullName} has no types.`);
    const path = `/${declared.fullName.slice(1)}/${method.name}`;
    const type = `Method<${typeName(request)}, ${typeName(response)}>`;
    return (
      `  ${protobuf.util.lcFirst(method.name)}: {\n    path: "${path}",\n    request: ${typeName(request)},\n` +
      `    response: ${typeName(response)},\n  } satisfies ${type},\n`
    );
  });
  return `export const ${declared.name}Methods = {\n${rows.join("")}};\n`;
}

function emitObject(object: protobuf.ReflectionObject): string {
  if (object instanceof protobuf.Enum) return emitEnum(object);
  if (object instanceof protobuf.Type) return emitMessage(object);
  if (object instanceof protobuf.Service) return emitService(object);
  if (object instanceof protobuf.Namespace) {
    // Services last, as they refer to messages when the module is loaded.
    const isService = (nested: protobuf.ReflectionObject) => nested instanceof protobuf.Service;
    return [
      ...object.nestedArray.filter((nested) => !isService(nested)),
      ...object.nestedArray.filter(isService),
    ]
      .map(emitObject)
      .join("\n");
  }
  throw new Error(`Nothing is written for ${object.fullName}.`);
}

/** The TypeScript of one `.proto` text. */
export function generate(source: string, fileName: string): string {
  const { root } = protobuf.parse(source, { keepCase: true });
  root.resolveAll();
  return (
    `// Generated from ${fileName} by scripts/generate-protocol.ts; not to be edited.\n` +
    `import { type MessageType, type Method, messageType } from "../message.ts";\n\n` +
    root.nestedArray.map(emitObject).join("\n")
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  for (const source of sources) {
    const target = new URL(`generated/${basename(source, ".proto")}.ts`, room);
    const text = generate(await readFile(new URL(source, room), "utf8"), source);
    if (!values.check) {
      await writeFile(target, text);
    } else if ((await readFile(target, "utf8").catch(() => "")) !== text) {
      process.stderr.write(
        `${fileURLToPath(target)} does not match ${source}; run node scripts/generate-protocol.ts.\n`,
      );
      process.exitCode = 1;
    }
  }
}

if (import.meta.main) await main();
