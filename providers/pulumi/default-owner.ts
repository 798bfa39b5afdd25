import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";

/** Where Pulumi's own settings are looked up. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The project's directory or one below it. */
  readonly directory: string;
}

/**
 * Names the state of a stack, for objects on the hosts to carry as their owner.
 *
 * `stack` is Pulumi's own `<organization>/<project>/<stack>`, which is unique on Pulumi Cloud. Where the state is
 * self-managed every organization is called `organization`; a short hash of the state's place stands in its stead:
 * `shop/prod/1f3a90c2`. State in plain files is one machine's, so that the machine's name goes into the hash too.
 */
export function defaultOwner(stack: string, surroundings: Surroundings): string {
  const [organization = "", project = "", name = ""] = stack.split("/");
  if (project === "" || name === "") return "";
  if (organization !== "" && organization !== "organization") return stack;
  const url = stateUrl(surroundings);
  const place = url.startsWith("file:")
    ? `${hostname()} ${url.replace("~", homedir())}`
    : url.replace(/\?.*$/, "");
  return `${project}/${name}/${createHash("sha256").update(place).digest("hex").slice(0, 8)}`;
}

/** Where the state is kept, looked up in Pulumi's own order: the environment, the project file, the last login. */
function stateUrl({ environment, directory }: Surroundings): string {
  const home = environment["PULUMI_HOME"] || join(homedir(), ".pulumi");
  return (
    environment["PULUMI_BACKEND_URL"] ||
    projectFiles(directory)
      .map((file) => textAt(file, "backend", "url"))
      .find((url) => url !== undefined) ||
    textAt(join(home, "credentials.json"), "current") ||
    ""
  );
}

function projectFiles(directory: string): string[] {
  const above = dirname(directory);
  const here = [join(directory, "Pulumi.yaml"), join(directory, "Pulumi.yml")];
  return above === directory ? here : [...here, ...projectFiles(above)];
}

/** JSON is YAML too. Undefined where there is no such file or no such text in it. */
function textAt(file: string, ...path: readonly string[]): string | undefined {
  try {
    let value: unknown = parse(readFileSync(file, "utf8"));
    for (const key of path) value = (value as Record<string, unknown> | null)?.[key];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
