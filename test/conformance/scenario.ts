import type { Clause } from "./clauses.ts";
import type { SubjectDefinition } from "./subjects.ts";
import type { Trial } from "./trial.ts";

/** Something that every driver and target must show. Scenarios are independent of each other and of their order. */
export interface Scenario {
  /** What holds when it passes. Unique. */
  readonly name: string;
  /** The clauses of the contract that it shows. */
  readonly clauses: readonly Clause[];
  /** It is of no matter to it how space is allocated: shown once for all kinds of volumes of a driver. */
  readonly isAboutRecords?: true;
  /** It takes driver and target together: shown for each combination of them. */
  readonly isAboutBoth?: true;
  /** It uses the trial's shared volumes, which saves making some of its own. */
  readonly sharesVolumes?: true;
  /** For which subjects it means anything; all by default. */
  readonly appliesTo?: (subject: SubjectDefinition) => boolean;
  /** Why it cannot be shown for anybody yet. Counts as a declared gap. */
  readonly gap?: string;
  /** Rejects where the promise is not kept. What it leaves on the storage is removed by the trial. */
  run(trial: Trial): Promise<void>;
}
