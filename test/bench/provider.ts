import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The built provider. @throws Error when `npm run build` has not been run */
export function providerExecutable(): string {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { version: string };
  const path = `${root}/dist/terraform/terraform-provider-breezeblock_v${version}`;
  if (!existsSync(path)) throw new Error(`${path} is not there; run "npm run build"`);
  return path;
}
