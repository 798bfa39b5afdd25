import type { Outcome } from "./engine.ts";

/** A step did not show what it must, or could not be taken: the quickstart stops there. */
export class QuickstartError extends Error {
  override readonly name = "QuickstartError";
}

/** Prints the story. Plain text; bold where a terminal shows it. */
export class Narrator {
  readonly #write: (text: string) => void;
  readonly #bold: (text: string) => string;
  #step = 0;

  constructor(write: (text: string) => void, isTerminal: boolean) {
    this.#write = write;
    this.#bold = isTerminal ? (text) => `\u001b[1m${text}\u001b[0m` : (text) => text;
  }

  line(text = ""): void {
    this.#write(`${text}\n`);
  }

  /** Begins a step. */
  step(title: string): void {
    this.#step += 1;
    this.line();
    this.line(this.#bold(`${this.#step}. ${title}`));
  }

  note(text: string): void {
    this.line(`   ${text}`);
  }

  /** Shows a command with what it is about in its output. */
  command({ command, highlights }: Outcome, seconds: number): void {
    this.line(`   $ ${command}   (${seconds.toFixed(1)} s)`);
    for (const highlight of highlights) this.line(`     | ${highlight}`);
  }

  /** States what was shown. Throws `QuickstartError` when `holds` is false. */
  proof(holds: boolean, statement: string, found: string): void {
    if (!holds) throw new QuickstartError(`This should be so, and is not: ${statement}\nFound: ${found}`);
    this.line(`   ok: ${statement}`);
  }
}
