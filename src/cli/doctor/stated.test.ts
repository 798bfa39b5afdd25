import { describe, expect, test } from "vitest";
import type { Inspection } from "../../backend/doctor/index.ts";
import type { StateFile } from "./state-file.ts";
import { examineStates, type InspectedBackend, knowledgeOf } from "./stated.ts";

/** A backend that was looked at; `found` is what it has of what states hold. */
function inspected(
  name: string,
  found: readonly string[],
  changes: Partial<Inspection> = {},
): InspectedBackend {
  return {
    backend: { name, answersTo: (other) => other === name },
    inspection: {
      ...{ problems: [], identity: `storage ${name}`, stats: null, strangers: new Set() },
      found: new Set(found),
      ...changes,
    },
  };
}

/** A state that holds `fast/1`. */
function state(file: string, ...ids: readonly string[]): StateFile {
  const objects = ids.map((id) => {
    const [backend = "", uuid = ""] = id.split("/");
    return { type: "volume", backend, uuid, identity: null };
  });
  return { file, format: "terraform", objects };
}

function orphans(
  backends: readonly InspectedBackend[],
  states: readonly StateFile[],
  isComplete = false,
): Readonly<Record<string, string>> {
  const examinations = examineStates(backends, states);
  return Object.fromEntries(
    backends.map((one) => [
      one.backend.name,
      knowledgeOf(one, states, examinations, { now: 0, minAgeMs: 0, statesWrittenAt: 1, isComplete }).orphans,
    ]),
  );
}

describe("what states tell of what they do not hold", () => {
  const fast = inspected("fast", ["1"]);

  test("counts on backends that they have something on, as it is to be seen there", () => {
    const backends = [fast, inspected("bulk", [])];
    expect(orphans(backends, [state("a", "fast/1")])).toEqual({ fast: "removable", bulk: "shown" });
    expect(orphans(backends, [state("a", "fast/1", "bulk/2")])).toEqual({ fast: "removable", bulk: "shown" });
    expect(orphans(backends, [state("a", "fast/1")], true)).toEqual({ fast: "removable", bulk: "removable" });
    expect(orphans(backends, [state("empty")])).toEqual({ fast: "shown", bulk: "shown" });
  });

  test.each<readonly [string, readonly InspectedBackend[], string]>([
    [
      "is a stranger to one of its backends",
      [fast, inspected("bulk", [], { strangers: new Set(["b"]) })],
      "know it",
    ],
    ["has objects where nobody could look", [fast, inspected("bulk", [], { found: null })], "looked at"],
    ["has objects on empty storage", [fast, inspected("bulk", [], { identity: null })], "no identity"],
    ["has objects on a backend that is not configured", [fast], "does not have"],
  ])("counts nowhere, whatever is said of it, where one of them %s", (_what, backends, words) => {
    const states = [state("a", "fast/1"), state("b", "bulk/2")];
    expect(new Set(Object.values(orphans(backends, states, true)))).toEqual(new Set(["unknown"]));
    const [sound, unsound] = examineStates(backends, states);
    expect(sound?.problems).toEqual([]);
    expect(unsound?.problems[0]?.reason).toContain(words);
  });

  test("does not depend on backends that they have nothing on", () => {
    const backends = [fast, inspected("far", [], { found: null })];
    expect(orphans(backends, [state("a", "fast/1")])["fast"]).toBe("removable");
  });
});
