import type { Program } from "./engine.ts";

const resource = /\bnew breezeblock\.\w+\(/;
const attachment = /\bnew breezeblock\.Attachment\(/;
const copy = /\bnew breezeblock\.Snapshot\(|\bsource: /;

/**
 * As much of a program's text as `program` consists of: paragraphs that make copies and attachments are left out until it
 * has them, and so is what is exported of them.
 */
export function programUpTo(text: string, program: Program): string {
  const isThere = (paragraph: string) =>
    !resource.test(paragraph) ||
    ((program.attached || !attachment.test(paragraph)) && (program.copies || !copy.test(paragraph)));
  const paragraphs = text.split(/\n{2,}/).filter(isThere);
  const declared = new Set([...paragraphs.join("\n").matchAll(/^const (\w+) = /gm)].map(([, name]) => name));
  const lines = paragraphs
    .join("\n\n")
    .split("\n")
    .filter((line) => {
      const exported = /^export const \w+ = (\w+)\./.exec(line)?.[1];
      return exported === undefined || declared.has(exported);
    });
  return `${lines.join("\n").trimEnd()}\n`;
}
