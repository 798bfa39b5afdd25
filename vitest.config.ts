import { defineConfig } from "vitest/config";
import { ConformanceReporter } from "./test/conformance/reporter.ts";
import { LongestFirst } from "./test/support/longest-first.ts";
import { SummaryReporter } from "./test/support/summary-reporter.ts";

/** Tests that need real kernels: storage and consumer hosts as guests of this machine. */
const labTests = [
  ...["lab", "lvm", "targets", "connectors", "acceptance/lab"].map(
    (directory) => `test/${directory}/**/*.test.ts`,
  ),
  "test/conformance/lab-*.test.ts",
];

export default defineConfig({
  test: {
    reporters: ["default", new ConformanceReporter(), new SummaryReporter()],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,resources,providers,scripts}/**/*.test.ts"],
          // Far more than any of them takes; only a hang is a failure, not a busy machine.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/**/*.test.ts"],
          exclude: labTests,
          // Far more than any of them takes; only a hang is a failure, not a busy machine.
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "lab",
          include: labTests,
          globalSetup: "test/lab/global-setup.ts",
          // After the others, two files at a time: the guests of one keep about one core busy.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          testTimeout: 900_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
