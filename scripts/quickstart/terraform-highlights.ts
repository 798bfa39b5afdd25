/** Lines that stand for themselves, whatever surrounds them. */
const telling = [
  /^ {2}# \S+ (will be|must be|has been|is tainted)/,
  /^Plan: /,
  /^No changes\. /,
  /^Apply complete! /,
  /^Destroy complete! /,
  /: (Creation|Modifications|Destruction) complete /,
];

/** The changed attributes below `# … will be updated in-place`. */
const changedAttribute = /^ {6,}[~+-] /;

/** What a person looks for in the output of `terraform plan` or `apply`, and `tofu`. */
export function terraformHighlights(output: string): readonly string[] {
  const found: string[] = [];
  let inChange = false;
  let inError = false;
  for (const raw of output.split("\n")) {
    const line = raw.replace(/^[│╷╵] ?/, "").trimEnd();
    if (line.startsWith("Error: ")) inError = true;
    if (inError) {
      if (line !== "") found.push(line.trim());
      continue;
    }
    if (line.startsWith("  # ")) inChange = line.includes(" will be updated in-place");
    if (telling.some((pattern) => pattern.test(line)) || (inChange && changedAttribute.test(line))) {
      found.push(line.trimStart().startsWith("#") ? line.trim() : line.replace(/^ {6}/, "  "));
    }
  }
  return found;
}
