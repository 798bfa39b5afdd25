import type { Argument, CommandResult, Executor, RunOptions } from "../../src/contract/index.ts";

const countedCommands = [
  ...["mkdir", "rmdir", "rm", "mv", "cp", "ln", "sync", "printf", "systemctl", "busctl"],
  ...["iscsiadm", "nvme", "multipath", "mount", "umount", "blockdev", "timeout"],
];

/** Runs scripts as the executor does, but kills their shell right before the `step`th command that may change something. */
export class KillingExecutor implements Executor {
  readonly host: string;
  /** Whether a script has been killed. */
  killed = false;
  readonly #executor: Executor;
  readonly #prefix: string;

  constructor(executor: Executor, step: number) {
    this.#executor = executor;
    this.host = executor.host;
    const counters = countedCommands.map((name) => `${name}() { count; command ${name} "$@"; }`);
    this.#prefix = [
      `step=0; count() { step=$((step + 1)); [ $step -ne ${step} ] || { kill -9 $$; exit 137; }; }`,
      ...counters,
      "",
    ].join("\n");
  }

  async run(argv: readonly Argument[], options?: RunOptions): Promise<CommandResult> {
    const [sh = "", flag = "", script = "", ...rest] = argv;
    const result = await this.#executor.run([sh, flag, `${this.#prefix}${script}`, ...rest], options);
    this.killed ||= result.exitCode === 137;
    return result;
  }
}
