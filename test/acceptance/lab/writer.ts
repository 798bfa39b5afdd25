import { expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";

/** Runs a command line on a machine and returns what it printed; throws where it ends with anything but 0. */
export type RunOn = (command: string) => Promise<string>;

/** Data that goes on being written on a consumer, and what it must read as in the end. */
export class Writer {
  readonly #run: RunOn;
  readonly #record: string;
  /** By file, once the writing has ended. */
  #sums: ReadonlyMap<string, string> = new Map();

  private constructor(run: RunOn, record: string) {
    this.#run = run;
    this.#record = record;
  }

  /** Starts writing files below `directory`, each made durable before it counts. */
  static async start(run: RunOn, directory: string): Promise<Writer> {
    const record = `/run/writer${directory.replaceAll("/", "-")}`;
    await run(`rm -rf ${record}; mkdir ${record}; : > ${record}/written`);
    await run(`setsid sh -c '${script}' writer ${directory} ${record} </dev/null >${record}/log 2>&1 &`);
    const writer = new Writer(run, record);
    await writer.goesOn();
    return writer;
  }

  /** Waits until more has been written. Fails where a write has. */
  async goesOn(): Promise<void> {
    const before = (await this.#written()).length;
    await waitFor(
      "the writer's next file",
      async () => {
        expect(await this.#run(`cat ${this.#record}/log`)).toBe("");
        return (await this.#written()).length > before;
      },
      { deadlineMs: 60_000, intervalMs: 300 },
    );
  }

  /** Ends the writing; then everything that was written must read back the same, from the device. */
  async stop(): Promise<void> {
    await this.#run(`: > ${this.#record}/stop`);
    await waitFor("the writer's end", () => this.#run(`cat ${this.#record}/ended`), {
      deadlineMs: 60_000,
      intervalMs: 300,
    });
    expect(await this.#run(`cat ${this.#record}/log`)).toBe("");
    this.#sums = new Map((await this.#written()).map(([sum = "", file = ""]) => [file, sum]));
    expect(this.#sums.size).toBeGreaterThan(0);
    await this.verify();
  }

  /** After `stop`: what was written reads back the same, from the device and not from the consumer's memory. */
  async verify(): Promise<void> {
    await this.#run("echo 3 > /proc/sys/vm/drop_caches");
    const found = await this.#run(`sha256sum ${[...this.#sums.keys()].join(" ")}`);
    const lines = found.trim().split("\n");
    expect(new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]))).toEqual(this.#sums);
  }

  async #written(): Promise<readonly (readonly string[])[]> {
    // What the test is about is the storage network. The login to the guest may break, and reading can be repeated.
    const read = async () => ({ text: await this.#run(`cat ${this.#record}/written`) });
    const { text } = await waitFor("the list of what was written", read, { intervalMs: 300 });
    const lines = text.trim().split("\n");
    return lines.filter((line) => line !== "").map((line) => line.split(" "));
  }
}

// The pause leaves the guest's processor to what the test is about.
const script = `
i=0
while [ ! -e "$2/stop" ]; do
  i=$((i + 1)); file=$1/file-$((i % 20))
  head -c 65536 /dev/urandom > "$2/block" && sum=$(sha256sum < "$2/block") &&
    cp "$2/block" "$file.new" && sync "$file.new" && mv "$file.new" "$file" &&
    echo "\${sum%% *} $file" >> "$2/written" || { echo "file $i failed" >&2; exit 1; }
  sleep 0.2
done
echo ended > "$2/ended"
`.trim();
