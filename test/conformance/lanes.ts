import { LazyGround } from "./ground.ts";
import { type Row, runScenario, scenariosFor } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { Subject } from "./subject.ts";
import type { SubjectDefinition } from "./subjects.ts";

export interface LaneOptions {
  /** Told of each row as soon as it is there. */
  readonly onRow?: (row: Row) => void;
  /** Which scenarios; all by default. */
  readonly isWanted?: (scenario: Scenario) => boolean;
}

/** Runs many subjects: those of a lane one after the other on the same machines, lanes beside each other. */
export class Lanes {
  readonly #definitions: readonly SubjectDefinition[];
  readonly #options: LaneOptions;
  readonly #rows = new Map<string, PromiseWithResolvers<Row>>();
  #ended: Promise<unknown> | undefined;

  constructor(definitions: readonly SubjectDefinition[], options: LaneOptions = {}) {
    this.#definitions = definitions;
    this.#options = options;
    for (const definition of definitions) {
      for (const scenario of this.scenariosFor(definition)) {
        this.#rows.set(keyOf(definition, scenario), Promise.withResolvers());
      }
    }
  }

  scenariosFor(definition: SubjectDefinition): readonly Scenario[] {
    const { isWanted = () => true } = this.#options;
    return scenariosFor(definition).filter(isWanted);
  }

  /** Does nothing where it has been started already. */
  start(): void {
    const lanes = Map.groupBy(this.#definitions, ({ lane }) => lane);
    this.#ended ??= Promise.all([...lanes.values()].map((lane) => this.#runLane(lane)));
  }

  /** Resolves when the scenario has been run with that subject. Never rejects. */
  row(definition: SubjectDefinition, scenario: Scenario): Promise<Row> {
    const row = this.#rows.get(keyOf(definition, scenario));
    if (row === undefined) throw new Error(`"${scenario.name}" is not run with ${definition.driver}`);
    return row.promise;
  }

  /** Resolves when all is done and every machine has been given back. */
  async ended(): Promise<void> {
    this.start();
    await this.#ended;
  }

  async #runLane(definitions: readonly SubjectDefinition[]): Promise<void> {
    const ground = new LazyGround();
    try {
      for (const definition of definitions) await this.#runSubject(definition, ground);
    } finally {
      await ground.close();
    }
  }

  async #runSubject(definition: SubjectDefinition, ground: LazyGround): Promise<void> {
    let subject: Subject | undefined;
    let reason = "";
    try {
      subject = await definition.open(ground);
    } catch (error) {
      reason = `it could not be set up: ${error instanceof Error ? error.message : error}`;
    }
    for (const scenario of this.scenariosFor(definition)) {
      const row =
        subject === undefined
          ? failedRow(definition, scenario, reason)
          : await runScenario(definition, subject, scenario);
      this.#options.onRow?.(row);
      this.#rows.get(keyOf(definition, scenario))?.resolve(row);
    }
    await subject?.close();
  }
}

function failedRow({ driver, target }: SubjectDefinition, scenario: Scenario, reason: string): Row {
  const { name, clauses } = scenario;
  return { scenario: name, driver, target, clauses, outcome: "failed", reason, milliseconds: 0 };
}

function keyOf({ driver, target }: SubjectDefinition, { name }: Scenario): string {
  return `${driver} ${target} ${name}`;
}
