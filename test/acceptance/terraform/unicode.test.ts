import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { describeEngines, useSite } from "./scenario.ts";

const site = useSite();

/** What no generator finds soon enough. */
const special = [
  "",
  " leading and trailing ",
  "line\nbreak\r\nand\ttab",
  `"double" 'single' \`back\``,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what shells and templates would expand
  "$(reboot) ${HOME} %{if} `id` \\ \\n \\\\",
  "\u0001\u0007\u001b[31m\u007f\u0080\u009f\u0085\u2028\u2029",
  "عربى \u202eright to left\u202c עברית",
  "👩‍👩‍👧‍👦 💾 \u{10ffff}\u{1f1fa}\u{1f1f3}",
  "e\u0301 is not \u00e9",
  "\u200b\ufeff\ufffe\uffff\u200b\u00a0",
  "-rf",
  "__proto__",
  "constructor",
  "null",
  "x".repeat(1_000),
];

/**
 * Anything that the engines hand over unchanged: they bring every text into normal form C, and take a byte order mark
 * off the start of a template.
 */
const text = fc
  .string({ unit: "binary", maxLength: 40 })
  .map((value) => value.normalize("NFC").replace(/^\ufeff+/, ""));

const labels = fc.dictionary(text, text, { maxKeys: 25 });

describeEngines((engine) => {
  test("labels of any Unicode string come back as they were, and are so on the host", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const sets = [
      Object.fromEntries(special.map((value, index) => [`${index}`, value.normalize("NFC")])),
      Object.fromEntries(
        special.filter((key) => key !== "").map((key) => [key.normalize("NFC"), key.length.toString()]),
      ),
      ...fc.sample(labels, { numRuns: 12, seed: Math.trunc(Math.random() * 2 ** 31) }),
    ];
    const resources = (defaults: Readonly<Record<string, string>>) => {
      scenario.configure({ default_labels: escaped(defaults) });
      terraform.write(
        JSON.stringify({
          resource: {
            breezeblock_volume: Object.fromEntries(
              sets.map((set, index) => [
                `v${index}`,
                { name: `v${index}`, size: 1, backend: "demo", labels: escaped(set) },
              ]),
            ),
            breezeblock_snapshot: {
              // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference in the engines' JSON syntax
              s: { name: "s", volume_id: "${breezeblock_volume.v0.id}", labels: escaped(sets[1] ?? {}) },
            },
          },
        }),
        "main.tf.json",
      );
    };
    resources({ über: "straße 💾\n" });
    await terraform.applied();
    await terraform.expectNoChanges();
    for (const [index, set] of sets.entries()) {
      const object = storage.object(`v${index}`);
      expect(entries(object.labels)).toEqual(entries(set));
      // Pure ASCII: no locale, editor or terminal on the host can change it.
      expect(readFileSync(storage.metadataFile(object), "latin1")).toMatch(/^[\x20-\x7e]*\n$/);
    }
    expect(entries(storage.object("s", "snapshot").labels)).toEqual(entries(sets[1] ?? {}));

    // A lost state finds them again.
    const again = site.scenario(engine, { storage });
    again.configure({ default_labels: { über: "straße 💾\n" } });
    again.terraform.write(terraform.read("main.tf.json"), "main.tf.json");
    again.terraform.write(
      JSON.stringify({
        import: [
          ...sets.map((_set, index) => ({ to: `breezeblock_volume.v${index}`, id: `demo/v${index}` })),
          { to: "breezeblock_snapshot.s", id: "demo/s" },
        ],
      }),
      "imports.tf.json",
    );
    const imported = await again.terraform.apply();
    const whole = `${sets.length + 1} imported, 0 added, 0 changed, 0 destroyed`;
    expect(imported.text.includes(whole), imported.text.slice(-500)).toBe(true);
    await again.terraform.expectNoChanges();

    // And they change in place.
    sets[2] = { changed: "\u{1f4be}" };
    resources({});
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(storage.object("v2").labels).toEqual(sets[2]);
  });
});

/** In the engines' JSON syntax a string is a template. */
function escaped(set: Readonly<Record<string, string>>): Record<string, string> {
  const literal = (value: string) => value.replace(/([$%])\{/g, "$1$1{");
  return Object.fromEntries(Object.entries(set).map(([key, value]) => [literal(key), literal(value)]));
}

function entries(set: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(set).sort(([a], [b]) => (a < b ? -1 : 1));
}
