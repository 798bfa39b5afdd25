import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { generateKeyPair } from "./key-pair.ts";

test("a pair that cannot be read is made again", () => {
  const good = generateKeyPair();
  const broken = { ...good, private: good.private.replace(/\n.{20}/, "\n") };
  expect(ssh2.utils.parseKey(broken.private)).toBeInstanceOf(Error);
  const made = [broken, broken, good];
  expect(generateKeyPair("", () => made.shift() ?? good)).toBe(good);
});
