import type { Reporter, TestModule } from "vitest/node";
import type {} from "./conformance-tests.ts";
import { formatTable } from "./table.ts";

/** Prints the conformance table of a run, where any of its tests belong to it. */
export class ConformanceReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const rows = tests.flatMap((test) => test.meta().conformance ?? []);
    if (rows.length > 0) process.stdout.write(formatTable(rows));
  }
}
