/** Where a command prints: results on stdout, everything else on stderr. */
export interface Terminal {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Asks whoever sits there, and gives the line that is answered; absent where nobody does. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
}

/** One command of `breezeblock`; a module each in `commands/`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole answer to `breezeblock <name> --help`. */
  readonly help: string;
  /** Runs with the arguments behind the command's name and gives the exit code. Throws `UsageError` on bad ones. */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
