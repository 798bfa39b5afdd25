import { describe, expect, test } from "vitest";
import { createLogger } from "./log.ts";

function logged(environment: NodeJS.ProcessEnv): Record<string, unknown>[] {
  const lines: string[] = [];
  const logger = createLogger(environment, (line) => lines.push(line));
  logger.log("trace", "a trace");
  logger.log("info", "some\nnews", { host: "san1" });
  logger.log("error", "a failure");
  expect(lines.every((line) => /^[^\n]+\n$/.test(line))).toBe(true);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("log lines", () => {
  test("are as hclog reads them", () => {
    const [line] = logged({ TF_LOG: "INFO" });
    expect(line).toMatchObject({
      "@level": "info",
      "@message": "some\nnews",
      "@module": "provider.breezeblock",
      host: "san1",
    });
    expect(line?.["@timestamp"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  test.each([
    [{}, ["error"]],
    [{ TF_LOG: "debug" }, ["info", "error"]],
    [{ TF_LOG: "TRACE" }, ["trace", "info", "error"]],
    [{ TF_LOG: "JSON" }, ["trace", "info", "error"]],
    [{ TF_LOG: "off" }, []],
    [{ TF_LOG: "trace", TF_LOG_PROVIDER: "error" }, ["error"]],
    [{ TF_LOG: "1" }, ["trace", "info", "error"]],
  ])("are kept by the level that %j asks for", (environment, levels) => {
    expect(logged(environment).map((line) => line["@level"])).toEqual(levels);
  });
});
