import type { StorageProtocol } from "../contract/index.ts";

/** What a consumer wrote down before it connected to a volume. */
export interface ConnectionRecord {
  readonly volumeId: string;
  readonly protocol: string;
  /** IQN or NQN. */
  readonly target: string;
  readonly portals: readonly string[];
  readonly multipath: boolean;
  /** What the device must show. */
  readonly serial: string;
  /** Below `/dev/disk/by-id/`; `null` until the device was proven. */
  readonly path: string | null;
}

/** Printed lines, by their first word, each split into as many words as asked for. */
export class Report {
  readonly #lines = new Map<string, string[]>();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const [kind, rest] = splitOnce(line);
      const lines = this.#lines.get(kind);
      if (lines === undefined) this.#lines.set(kind, [rest]);
      else lines.push(rest);
    }
  }

  /** The last word takes the rest of its line. What is missing is empty. */
  facts(kind: string, words: number): readonly (readonly string[])[] {
    return (this.#lines.get(kind) ?? []).map((line) => {
      const fact: string[] = [];
      let rest = line;
      while (fact.length < words - 1) {
        const [word, more] = splitOnce(rest);
        fact.push(word);
        rest = more;
      }
      return [...fact, rest];
    });
  }
}

/** The records of one protocol. One that is cut short is passed over where not even its protocol is known. */
export function recordsIn(report: Report, protocol: StorageProtocol): readonly ConnectionRecord[] {
  const byId = new Map<string, Map<string, string[]>>();
  for (const [id = "", key = "", text = ""] of report.facts("record", 3)) {
    const record = byId.get(id) ?? new Map<string, string[]>();
    byId.set(id, record);
    record.set(key, [...(record.get(key) ?? []), text]);
  }
  return [...byId]
    .map(([volumeId, values]): ConnectionRecord => {
      const first = (key: string) => values.get(key)?.[0];
      return {
        volumeId,
        protocol: first("protocol") ?? "",
        target: first("target") ?? "",
        portals: values.get("portal") ?? [],
        multipath: first("multipath") === "yes",
        serial: first("serial") ?? "",
        path: first("path") ?? null,
      };
    })
    .filter((record) => record.protocol === protocol);
}

/** Device numbers (`8:0`) by recorded path, as `stat` printed them in hexadecimal. */
export function pathNumbers(report: Report): ReadonlyMap<string, string> {
  return new Map(
    report.facts("path", 2).map(([number = "", path = ""]) => [
      path,
      number
        .split(":")
        .map((part) => Number.parseInt(part, 16))
        .join(":"),
    ]),
  );
}

function splitOnce(text: string): readonly [string, string] {
  const blank = text.indexOf(" ");
  return blank === -1 ? [text, ""] : [text.slice(0, blank), text.slice(blank + 1)];
}
