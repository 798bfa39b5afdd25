import { expect, test } from "vitest";
import { withExamples } from "./sync-docs.ts";

const read = async (path: string) => `text of ${path}\n`;

test("fills marked blocks and leaves everything else alone", async () => {
  const text = [
    "Before\n\n<!-- example: a.tf -->\n```hcl\nold\nlines\n```\n",
    "```hcl\nnot marked\n```\n",
    "<!-- example: b.ts -->\n\n```ts\n```\nAfter\n",
  ];
  expect(await withExamples(text.join(""), read)).toBe(
    [
      "Before\n\n<!-- example: a.tf -->\n```hcl\ntext of a.tf\n```\n",
      "```hcl\nnot marked\n```\n",
      "<!-- example: b.ts -->\n\n```ts\ntext of b.ts\n```\nAfter\n",
    ].join(""),
  );
});
