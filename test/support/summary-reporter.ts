import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

type Named = TestCase | TestSuite | TestModule;

/** How a test says why it does not run: in its name, or in that of a suite around it. */
const leftOut = /left out: (.+)$/;

/** Ends a run with what was left out and why, and with the line `N passed, N failed, N skipped`. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const skipped = tests.filter((test) => test.result().state === "skipped");
    // A file that cannot be loaded has no tests that could fail.
    const broken = modules.filter(
      (module) => module.state() === "failed" && ![...module.children.allTests("failed")].length,
    ).length;
    const failed = count("failed") + broken + unhandledErrors.length;
    const total = [`${count("passed")} passed`, `${failed} failed`];
    if (skipped.length > 0) total.push(`${skipped.length} skipped`);
    process.stdout.write(`${[...describeSkipped(skipped), "", total.join(", ")].join("\n")}\n`);
  }
}

function describeSkipped(skipped: readonly TestCase[]): string[] {
  const counts = new Map<string, number>();
  for (const test of skipped) {
    const reason = reasonOf(test) ?? `no reason given: ${test.fullName}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `Left out, ${count} test${count === 1 ? "" : "s"}: ${reason}`);
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  if (result.state === "skipped" && result.note !== undefined) return result.note.replace(leftOut, "$1");
  for (let task: Named = test; task.type !== "module"; task = task.parent) {
    const reason = leftOut.exec(task.name)?.[1];
    if (reason !== undefined) return reason;
  }
  return undefined;
}
