import { readFile, stat } from "node:fs/promises";
import { text as readStream } from "node:stream/consumers";
import { parseStateFile, type StateFile, StateFileError } from "./state-file.ts";

/** State files as they are now, and as they are later. What came on standard input stays as it was. */
export class StateSource {
  readonly #files: readonly string[];
  readonly #texts = new Map<string, string>();
  #states: readonly StateFile[] = [];
  #writtenAt: number | null = null;

  private constructor(files: readonly string[]) {
    this.#files = files;
  }

  /** @throws StateFileError */
  static async open(files: readonly string[]): Promise<StateSource> {
    const source = new StateSource(files);
    await source.refresh();
    return source;
  }

  get states(): readonly StateFile[] {
    return this.#states;
  }

  /** When the oldest of the files was written, in milliseconds since 1970; `null` where there is no file. */
  get writtenAt(): number | null {
    return this.#writtenAt;
  }

  /**
   * Reads the files again.
   *
   * @returns whether any of them holds something else than before
   * @throws StateFileError where one cannot be read, or judged by, any more; all stays as it was then
   */
  async refresh(): Promise<boolean> {
    const read = await Promise.all(
      this.#files.map(async (file) => {
        const before = this.#texts.get(file);
        if (file === "-") return { file, text: before ?? (await readInput()), writtenAt: null };
        // The time first: what is put in its place meanwhile counts as older than it is.
        return { file, writtenAt: await timeOf(file), text: await readText(file) };
      }),
    );
    if (read.every(({ file, text }) => this.#texts.get(file) === text)) return false;
    this.#states = read.map(({ file, text }) => parseStateFile(file, text));
    for (const { file, text } of read) this.#texts.set(file, text);
    const times = read.map(({ writtenAt }) => writtenAt).filter((time) => time !== null);
    this.#writtenAt = times.length === 0 ? null : Math.min(...times);
    return true;
  }
}

function readInput(): Promise<string> {
  return readable("-", () => readStream(process.stdin));
}

function readText(file: string): Promise<string> {
  return readable(file, () => readFile(file, "utf8"));
}

/** `null` for a pipe, which has no time of its own. */
function timeOf(file: string): Promise<number | null> {
  return readable(file, async () => {
    const found = await stat(file);
    return found.isFile() ? found.mtimeMs : null;
  });
}

async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new StateFileError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
