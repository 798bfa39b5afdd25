import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

type Named = TestCase | TestSuite | TestModule;

interface Failure {
  readonly where: string;
  readonly messages: readonly string[];
}

/** How a test says why it does not run: in its name, or in that of a suite around it. */
const leftOut = /left out: (.+)$/;

/** What is shown of one failure, in characters: whoever sees only the end of a long run's output sees them all. */
const maxMessage = 1500;

/**
 * Ends a run with what was left out and why, what passed only when tried again, what failed and how, and with the line
 * `N passed, N failed, N skipped`.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const skipped = tests.filter((test) => test.result().state === "skipped");
    const failures = [
      ...modules.filter((module) => module.errors().length > 0).map(describeModule),
      ...modules
        .flatMap((module) => [...module.children.allSuites()])
        .filter((suite) => suite.errors().length > 0)
        .map(describeSuite),
      ...tests.filter((test) => test.result().state === "failed").map(describeTest),
      ...unhandledErrors.map((error) => ({ where: "outside of any test", messages: [messageOf(error)] })),
    ];
    const unsteady = tests.filter((test) => test.diagnostic()?.flaky === true).map(describeTest);
    const total = [`${count("passed")} passed`, `${failures.length} failed`];
    if (skipped.length > 0) total.push(`${skipped.length} skipped`);
    const lines = [
      ...describeSkipped(skipped),
      ...unsteady.flatMap((failure) => describeFailure("Failed, then passed when tried again", failure)),
      ...failures.flatMap((failure) => describeFailure("Failed", failure)),
      ...["", total.join(", ")],
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  }
}

/** A file that cannot be loaded has no tests that could fail. */
function describeModule(module: TestModule): Failure {
  return { where: fileOf(module), messages: module.errors().map(messageOf) };
}

/** Nor run the tests of a suite whose set-up fails. */
function describeSuite(suite: TestSuite): Failure {
  return { where: `${fileOf(suite.module)} > ${suite.fullName}`, messages: suite.errors().map(messageOf) };
}

function describeTest(test: TestCase): Failure {
  return {
    where: `${fileOf(test.module)} > ${test.fullName}`,
    // Those of each attempt, often the same.
    messages: [...new Set((test.result().errors ?? []).map(messageOf))],
  };
}

function describeFailure(title: string, { where, messages }: Failure): string[] {
  const text = stripVTControlCharacters(messages.join("\n"));
  const shown = text.length > maxMessage ? `${text.slice(0, maxMessage)}…` : text;
  return ["", `${title}: ${where}`, ...shown.split("\n").map((line) => `  ${line}`)];
}

function fileOf(module: TestModule): string {
  return relative(process.cwd(), module.moduleId);
}

function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return String(error);
  const at = "stacks" in error && Array.isArray(error.stacks) ? placeOf(error.stacks[0]) : "";
  return `${String(error.message)}${at}`;
}

function placeOf(frame: unknown): string {
  if (typeof frame !== "object" || frame === null || !("file" in frame) || !("line" in frame)) return "";
  return `\nat ${relative(process.cwd(), String(frame.file))}:${String(frame.line)}`;
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
