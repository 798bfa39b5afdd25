import { describe, expect, test } from "vitest";
import { formatPortal, parsePortals } from "./portals.ts";

describe("portals", () => {
  test.each([
    ["10.0.0.5:3260", "10.0.0.5:3260"],
    ["10.0.0.5", "10.0.0.5:3260"],
    ["[fd00::5]:4000", "[fd00::5]:4000"],
    ["[FD00:0:0::5]", "[fd00::5]:3260"],
  ])("%s is %s", (text, portal) => {
    expect(parsePortals([text], 3260).map(formatPortal)).toEqual([portal]);
  });

  test.each([
    ["", "is not an IP address"],
    ["nas.example", "is not an IP address"],
    ["10.0.0.5:", "is not an IP address"],
    ["10.0.0.256", "is not an IP address"],
    ["fd00::5", "needs brackets"],
    ["[10.0.0.5]x", "is not an IP address"],
    ["10.0.0.5:0", "is not a port"],
    ["10.0.0.5:65536", "is not a port"],
    ["0.0.0.0:3260", "every address"],
    ["[::]:3260", "every address"],
    ["[fe80::1%eth0]:3260", "one link only"],
  ])("%j is refused where it stands", (text, reason) => {
    expect(() => parsePortals(["10.0.0.9", text], 3260)).toThrow(
      expect.objectContaining({
        kind: "InvalidConfiguration",
        reason: expect.stringContaining(reason),
        attribute: ["portals", 1],
      }),
    );
  });

  test("the same portal twice, and none at all, are refused", () => {
    expect(() => parsePortals(["[fd00::5]", "[fd00:0::5]:3260"], 3260)).toThrow(/twice/);
    expect(() => parsePortals([], 3260)).toThrow(expect.objectContaining({ attribute: ["portals"] }));
  });
});
