import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Test files that take minutes, the longest first. Begun last, they would run alone while the other core has nothing to do. */
const long = [
  "test/acceptance/lab/lifecycle-terraform",
  "test/connectors/",
  "test/conformance/lab-",
  "test/acceptance/lab/",
  "test/targets/",
  "test/lvm/",
  "test/acceptance/pulumi/lifecycle",
];

/** Begins what takes longest first; a fresh checkout has no durations to go by, and a file's size says little of them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = long.findIndex((part) => moduleId.includes(`/${part}`));
      return found < 0 ? long.length : found;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
