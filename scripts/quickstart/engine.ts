import type { EmbeddedHost } from "../../src/embedded-host/index.ts";

/** What the example describes at a point of the story. */
export interface Program {
  /** Size of the volume `data`, in GiB. */
  readonly size: number;
  /** Whether there are a snapshot, a volume from it and a clone. */
  readonly copies: boolean;
  /** Whether `data` is attached. */
  readonly attached: boolean;
}

export interface Outcome {
  /** `unchanged` and `changed` of a plan say what would be done. */
  readonly result: "unchanged" | "changed" | "failed";
  /** The command as a user would type it. */
  readonly command: string;
  /** What of the engine's output is worth showing. */
  readonly highlights: readonly string[];
  /** All of it, for when something went wrong. */
  readonly output: string;
}

/** An engine with the example in a working folder. */
export interface Engine {
  /** Name and version, as the engine gives them. */
  readonly title: string;
  /** Whether the example's copies include a clone. */
  readonly hasClone: boolean;
  /** Writes the example's settings and says what it wrote, in a line or two. */
  write(program: Program): Promise<readonly string[]>;
  /** Compares program, state and host, and changes nothing. */
  plan(): Promise<Outcome>;
  apply(): Promise<Outcome>;
  destroy(): Promise<Outcome>;
  /** Names of the files and the commands with which to go on by hand, line by line. */
  readonly byHand: readonly string[];
}

/** What an engine is started from. */
export interface EngineSetting {
  /** Absolute path of the engine's command. */
  readonly path: string;
  /** The working folder; made by the engine. */
  readonly directory: string;
  readonly host: EmbeddedHost;
  /** The directory of volumes on the host. */
  readonly volumes: string;
  readonly signal: AbortSignal;
}
