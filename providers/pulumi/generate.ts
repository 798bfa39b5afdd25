import {
  type Attribute,
  type AttributeType,
  type DataSource,
  type Ephemeral,
  isConfigurable,
  nestedAttributes,
  type Provider,
  type Resource,
} from "../../resources/schema/index.ts";
import { camelCase, camelText, pascalCase, renamedNames } from "./names.ts";

/** Which side of a resource a type describes. */
type Side = "args" | "plain_args" | "state";

/** What the parts of one module share. */
interface Context {
  /** The declared names to be put in Pulumi's spelling. */
  readonly names: ReadonlySet<string>;
  /** The text of each interface made for an attribute with attributes of its own, by name. */
  readonly nested: Map<string, string>;
}

/**
 * The typed classes and functions of a provider, as the text of one TypeScript module.
 *
 * @param base where that module imports `DynamicResource` from
 */
export function generateClasses(provider: Provider, base = "../resource-class.ts"): string {
  const context: Context = { names: renamedNames(provider), nested: new Map() };
  const parts = [
    ...provider.resources.flatMap((resource) => generateResource(resource, context)),
    ...provider.dataSources.flatMap((source) => generateDataSource(source, context)),
    ...provider.ephemerals.flatMap((ephemeral) => generateEphemeral(ephemeral, context)),
  ];
  const helpers = ["DynamicResource", "readDataSource"];
  if (provider.ephemerals.length > 0) helpers.push("readSecrets");
  return [
    "// Generated from the declarations in resources/ by `npm run generate`. Do not edit.\n",
    'import * as pulumi from "@pulumi/pulumi";\n',
    `import { ${[...helpers, "typeToken"].join(", ")} } from "${base}";\n`,
    "\n",
    [...parts, ...context.nested.values()].join("\n"),
  ].join("");
}

function generateResource(resource: Resource, context: Context): string[] {
  const type = pascalCase(resource.name);
  const { attributes } = resource;
  const own = Object.entries(attributes).filter(([name]) => name !== "id");
  const inputs = own.filter(([, attribute]) => isConfigurable(attribute));
  const outputs = own.filter(([, attribute]) => !attribute.writeOnly);
  const secrets = own.filter(([, { sensitive }]) => sensitive).map(([name]) => camelCase(name));
  const optional = inputs.every(([, { presence }]) => presence !== "required") ? " = {}" : "";
  const fields = outputs.map(
    ([name, attribute]) =>
      `${comment(context.names, attribute, "  ")}  declare readonly ${camelCase(name)}: pulumi.Output<${stateType(type, name, attribute, context)}>;\n`,
  );
  return [
    [
      docComment(`What a \`${type}\` is made from.`, ""),
      `export interface ${type}Args {\n`,
      ...inputs.map(([name, attribute]) => field(type, name, attribute, "args", context)),
      docComment(
        `The id, as an import takes it, of a ${resource.name} that exists already, such as \`fast/db\` or \`<backend>/<uuid>\`: it is taken over and brought to what is written here, in place of making a new one. Only read while state does not have the ${resource.name}; afterwards it may stay or go.`,
        "  ",
      ),
      "  readonly adopt?: pulumi.Input<string | undefined>;\n",
      "}\n",
    ].join(""),
    [
      docComment(camelText(context.names, resource.description), ""),
      `export class ${type} extends DynamicResource {\n`,
      ...fields,
      "\n",
      `  constructor(name: string, args: ${type}Args${optional}, options?: pulumi.CustomResourceOptions) {\n`,
      `    super(\n      {\n        resource: "${resource.name}",\n        type: "${type}",\n`,
      `        properties: [${own.map(([name]) => `"${camelCase(name)}"`).join(", ")}],\n`,
      `        secrets: [${secrets.map((name) => `"${name}"`).join(", ")}],\n      },\n`,
      "      name,\n      args,\n      options,\n    );\n  }\n\n",
      "  /** True when `value` is one of these, also where another copy of this package made it. */\n",
      `  static override isInstance(value: unknown): value is ${type} {\n`,
      `    return pulumi.Resource.isInstance(value) && (value as { __pulumiType?: unknown }).__pulumiType === typeToken("${type}");\n`,
      "  }\n}\n",
    ].join(""),
  ];
}

function generateDataSource(source: DataSource, context: Context): string[] {
  const type = `Get${pascalCase(source.name)}`;
  const call = camelCase(`get_${source.name}`);
  const { attributes } = source;
  const own = Object.entries(attributes);
  const inputs = own.filter(([, attribute]) => isConfigurable(attribute));
  const optional = inputs.every(([, { presence }]) => presence !== "required") ? " = {}" : "";
  return [
    [
      docComment(`What \`${call}\` looks for.`, ""),
      `export interface ${type}Args {\n`,
      ...inputs.map(([name, attribute]) => field(type, name, attribute, "plain_args", context)),
      "}\n",
    ].join(""),
    [
      docComment(`What \`${call}Output\` looks for.`, ""),
      `export interface ${type}OutputArgs {\n`,
      ...inputs.map(([name, attribute]) => field(`${type}Output`, name, attribute, "args", context)),
      "}\n",
    ].join(""),
    resultInterface(type, call, own, context),
    [
      docComment(
        `${camelText(context.names, source.description)} Read by the program itself, also in previews.`,
        "",
      ),
      `export function ${call}(args: ${type}Args${optional}): Promise<${type}Result> {\n`,
      `  return readDataSource("${source.name}", args);\n}\n`,
    ].join(""),
    [
      docComment(`As \`${call}\`, for arguments that are outputs; it waits until they are known.`, ""),
      `export function ${call}Output(args: ${type}OutputArgs${optional}): pulumi.Output<${type}Result> {\n`,
      `  return pulumi.output(args).apply((known) => ${call}(known as ${type}Args));\n}\n`,
    ].join(""),
  ];
}

/** Pulumi knows nothing ephemeral: a function whose result is secret as a whole. */
function generateEphemeral(ephemeral: Ephemeral, context: Context): string[] {
  const type = `Get${pascalCase(ephemeral.name)}`;
  const call = camelCase(`get_${ephemeral.name}`);
  const own = Object.entries(ephemeral.attributes);
  const inputs = own.filter(([, attribute]) => isConfigurable(attribute));
  return [
    [
      docComment(`What \`${call}\` looks for.`, ""),
      `export interface ${type}Args {\n`,
      ...inputs.map(([name, attribute]) => field(type, name, attribute, "args", context)),
      "}\n",
    ].join(""),
    resultInterface(type, call, own, context),
    [
      docComment(
        `${camelText(context.names, ephemeral.description)} Read by the program itself, also in previews, once the arguments are known. The result is a secret: what is kept of it, as an output or an input of another resource, is encrypted.`,
        "",
      ),
      `export function ${call}(args: ${type}Args): pulumi.Output<${type}Result> {\n`,
      `  return readSecrets("${ephemeral.name}", args);\n}\n`,
    ].join(""),
  ];
}

function resultInterface(
  type: string,
  call: string,
  attributes: readonly [string, Attribute][],
  context: Context,
): string {
  return [
    docComment(`What \`${call}\` finds.`, ""),
    `export interface ${type}Result {\n`,
    ...attributes.map(([name, attribute]) => {
      const shown = stateType(type, name, attribute, context);
      const optionalMark = isNullable(attribute) ? "?" : "";
      return `${comment(context.names, attribute, "  ")}  readonly ${camelCase(name)}${optionalMark}: ${shown};\n`;
    }),
    "}\n",
  ].join("");
}

function field(owner: string, name: string, attribute: Attribute, side: Side, context: Context): string {
  const optional = side === "state" ? isNullable(attribute) : attribute.presence !== "required";
  const type = `${typeOf(attribute.type, `${owner}${pascalCase(name)}`, side, context)}${optional ? " | undefined" : ""}`;
  const shown = side === "args" ? `pulumi.Input<${type}>` : type;
  return `${comment(context.names, attribute, "  ")}  readonly ${camelCase(name)}${optional ? "?" : ""}: ${shown};\n`;
}

function stateType(owner: string, name: string, attribute: Attribute, context: Context): string {
  const type = typeOf(attribute.type, `${owner}${pascalCase(name)}`, "state", context);
  return isNullable(attribute) ? `${type} | undefined` : type;
}

function isNullable({ presence }: Attribute): boolean {
  return presence === "optional" || presence === "computed_nullable";
}

/** The TypeScript type of a value; objects become interfaces of their own, gathered in the context. */
function typeOf(type: AttributeType, name: string, side: Side, context: Context): string {
  const wrap = (inner: string) => (side === "args" ? `pulumi.Input<${inner}>` : inner);
  switch (type.kind) {
    case "string":
    case "boolean":
      return type.kind;
    case "integer":
    case "number":
      return "number";
    case "list":
      return `readonly ${parenthesized(wrap(typeOf(type.element, name, side, context)))}[]`;
    case "map":
      return `{ readonly [key: string]: ${wrap(typeOf(type.element, name, side, context))} }`;
    case "object":
      return nestedType(type, name, side, context);
    case "object_list":
      return `readonly ${wrap(nestedType(type, name, side, context))}[]`;
    case "object_map":
      return `{ readonly [key: string]: ${wrap(nestedType(type, name, side, context))} }`;
  }
}

function parenthesized(type: string): string {
  return type.includes(" ") && !type.startsWith("pulumi.Input<") ? `(${type})` : type;
}

function nestedType(type: AttributeType, name: string, side: Side, context: Context): string {
  const attributes = nestedAttributes(type) ?? {};
  const suffix = side === "state" ? "" : "Args";
  const full = `${name}${suffix}`;
  const fields = Object.entries(attributes).map(([key, attribute]) =>
    field(name, key, attribute, side, context),
  );
  context.nested.set(full, `export interface ${full} {\n${fields.join("")}}\n`);
  return full;
}

function comment(names: ReadonlySet<string>, attribute: Attribute, indent: string): string {
  const lines = [camelText(names, attribute.description)];
  if (attribute.presence === "defaulted") lines.push(`Default: \`${JSON.stringify(attribute.default)}\`.`);
  if (attribute.replaces) lines.push("A change makes a new object in place of the old one.");
  const deprecated =
    attribute.deprecated === undefined ? "" : `\n@deprecated ${camelText(names, attribute.deprecated)}`;
  return docComment(`${lines.join(" ")}${deprecated}`, indent);
}

function docComment(text: string, indent: string): string {
  const safe = text.replaceAll("*/", "*\\/");
  if (!safe.includes("\n")) return `${indent}/** ${safe} */\n`;
  return `${indent}/**\n${safe
    .split("\n")
    .map((line) => `${indent} * ${line}\n`)
    .join("")}${indent} */\n`;
}
