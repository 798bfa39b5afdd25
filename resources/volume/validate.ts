import { imageProblems } from "../common/images.ts";
import { type Config, type Diagnostic, errorAt, isUnknown } from "../schema/index.ts";
import type { VolumeAttributes } from "./attributes.ts";
import { provisioningKey, requiredProvisioning } from "./demand.ts";

export function validate(config: Config<VolumeAttributes>): Diagnostic[] {
  const found: Diagnostic[] = [];
  const { name, name_prefix: prefix, size, source, requirements, provisioning } = config;
  if (name !== null && prefix !== null) {
    found.push(
      errorAt(["name_prefix"], "Conflicting name_prefix", "Give either name or name_prefix, not both."),
    );
  }
  if (name === null && prefix === null) {
    found.push(errorAt(["name"], "Missing name", "A volume needs a name or a name_prefix."));
  }
  if (size === null && source === null) {
    found.push(errorAt(["size"], "Missing size", "A volume needs a size in GiB, unless a source gives it."));
  }
  if (source !== null && !isUnknown(source)) {
    const { snapshot_id: snapshot, volume_id: cloned, image } = source;
    const given = Object.entries({ snapshot_id: snapshot, volume_id: cloned, image }).filter(
      ([, value]) => value !== null,
    );
    if (given.length === 0) {
      found.push(
        errorAt(["source"], "Empty source", "A source needs a snapshot_id, a volume_id or an image."),
      );
    }
    if (given.length > 1) {
      const names = given.map(([name]) => name);
      found.push(
        errorAt(["source", names.at(-1) ?? ""], "Conflicting source", `Give one of ${names.join(" and ")}.`),
      );
    }
    if (image !== null) found.push(...imageProblems(image, size));
  }
  const image = source !== null && !isUnknown(source) ? source.image : null;
  if (size === null && image !== null && config.backend === null) {
    found.push(
      errorAt(["size"], "Missing size", "A volume from an image needs a size, unless its backend is named."),
    );
  }
  const required = requiredProvisioning(requirements);
  if (
    required === null &&
    requirements !== null &&
    !isUnknown(requirements) &&
    Object.hasOwn(requirements, provisioningKey)
  ) {
    found.push(
      errorAt(
        ["requirements", provisioningKey],
        `Invalid ${provisioningKey}`,
        `It must be thin or thick, not "${String(requirements[provisioningKey])}".`,
      ),
    );
  }
  if (required !== null && provisioning !== null && !isUnknown(required) && !isUnknown(provisioning)) {
    if (required !== provisioning) {
      found.push(
        errorAt(
          ["provisioning"],
          "Conflicting provisioning",
          `requirements ask for a ${required} volume, and provisioning for a ${provisioning} one.`,
        ),
      );
    }
  }
  return found;
}
