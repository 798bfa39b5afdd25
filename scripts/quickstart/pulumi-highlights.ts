/** A step that a preview proposes or an update has finished; those that are under way end in `…ing`. */
const step = /^ *([~+-]|[+-]{2}) {2,}\S*breezeblock:\S+ \S+ (?!\w+ing\b)/;

/** A refresh that found nothing different. */
const idleRefresh = / refresh( \([\d.]+s\))?$/;

/** What a person looks for in the output of `pulumi preview`, `up` or `destroy` that no terminal reads. */
export function pulumiHighlights(output: string): readonly string[] {
  const found = new Set<string>();
  const summary: string[] = [];
  let inSummary = false;
  for (const raw of output.split("\n")) {
    const line = raw.trimEnd();
    const text = line.trim();
    if (text === "") {
      inSummary = false;
    } else if (inSummary) {
      summary.push(text);
    } else if (text === "Resources:") {
      inSummary = true;
    } else if (text.startsWith("error: ") || (step.test(line) && !idleRefresh.test(line))) {
      // Errors stand in a step's line too, cut to a terminal's width.
      if (text.startsWith("error: ") || !text.includes(" error: ")) found.add(text);
    }
  }
  return [...found, ...(summary.length > 0 ? [`Resources: ${summary.join(", ")}`] : [])];
}
