import { availableParallelism } from "node:os";
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

/**
 * A test that drives real engines and kernels is tried once more when it fails, so that one bad moment does not cost a
 * run of half an hour. The summary names it with what it failed of: it is a bug to be found, there or here.
 */
const retry = 1;

export default defineConfig({
  test: {
    reporters: ["default", new ConformanceReporter(), new SummaryReporter()],
    sequence: { sequencer: LongestFirst },
    // More than there are cores on a small machine: engines and guests wait for each other much of the time.
    maxWorkers: Math.max(5, availableParallelism()),
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
          retry,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "lab",
          include: labTests,
          globalSetup: "test/lab/global-setup.ts",
          testTimeout: 900_000,
          retry,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
