import type { Inspection, Knowledge, StatedObjects } from "../../backend/doctor/index.ts";
import type { Backend } from "../../backend/index.ts";
import type { StateFile } from "./state-file.ts";

/** What is to be said of a state itself. */
export interface StateExamination {
  readonly file: string;
  readonly format: StateFile["format"];
  /** How many objects of breezeblock's it holds. */
  readonly objects: number;
  /** Why it cannot be judged by. */
  readonly problems: readonly { readonly reason: string; readonly nextStep: string }[];
}

export interface InspectedBackend {
  readonly backend: Pick<Backend, "name" | "answersTo">;
  readonly inspection: Inspection;
}

/** What is known besides the states' content. */
export interface Circumstances extends Pick<Knowledge, "now" | "minAgeMs" | "statesWrittenAt"> {
  /** The user says that there are no other states, and no newer ones. */
  readonly isComplete: boolean;
}

/** What one backend is compared with. */
export function statedOn(backend: Backend, states: readonly StateFile[]): StatedObjects {
  return {
    identities: new Map(
      states.map((state) => {
        const identities = objectsOn(backend, state).map(({ identity }) => identity);
        return [state.file, new Set(identities.filter((identity) => identity !== null))];
      }),
    ),
    idsOf: new Map(states.map(({ file, objects }) => [file, new Set(objects.map(({ uuid }) => uuid))])),
  };
}

/**
 * Tells which states cannot be judged by: every backend that a state has objects on has to be configured, to have been looked
 * at, and to know it.
 */
export function examineStates(
  inspected: readonly InspectedBackend[],
  states: readonly StateFile[],
): readonly StateExamination[] {
  return states.map((state) => {
    const { file, format, objects } = state;
    const strange = objects.filter(({ backend }) => !inspected.some((one) => one.backend.answersTo(backend)));
    const names = new Set(strange.map(({ backend }) => backend));
    const unknown = [...names].map((name) => ({
      reason: `It holds ${count(strange.filter(({ backend }) => backend === name).length, "object")} of backend "${name}", which the configuration does not have`,
      nextStep: "Add the backend, or list that name in the aliases of the backend that it is now",
    }));
    const unproven = inspected.flatMap(({ backend, inspection: { found, identity, strangers } }) => {
      const here = objectsOn(backend, state).length;
      if (strangers.has(file)) {
        return [
          {
            reason: `Backend "${backend.name}" does not know it, so nothing anywhere is called an orphan by it`,
            nextStep: "See the problems of that backend",
          },
        ];
      }
      if (here === 0 || (found !== null && identity !== null)) return [];
      return [
        {
          reason: `It holds ${count(here, "object")} of backend "${backend.name}", ${found === null ? "which could not be looked at" : "whose storage has no identity"}, so nothing anywhere is called an orphan by it`,
          nextStep: "Put that backend right, and look again",
        },
      ];
    });
    return { file, format, objects: objects.length, problems: [...unknown, ...unproven] };
  });
}

/** What the judge of one backend may take from states. One that cannot be judged by anywhere leaves all in doubt everywhere. */
export function knowledgeOf(
  { backend, inspection }: InspectedBackend,
  states: readonly StateFile[],
  examinations: readonly StateExamination[],
  { isComplete, statesWrittenAt, ...times }: Circumstances,
): Knowledge {
  const areSound = examinations.every(({ problems }) => problems.length === 0);
  const here = states.flatMap((state) => objectsOn(backend, state).map(({ uuid }) => uuid));
  const isKnownHere = here.some((uuid) => inspection.found?.has(uuid) === true);
  return {
    ...times,
    statesWrittenAt: isComplete ? null : statesWrittenAt,
    // What a state holds under another backend's name is no orphan either.
    ids:
      states.length === 0 ? null : new Set(states.flatMap(({ objects }) => objects.map(({ uuid }) => uuid))),
    idsHere: new Set(areSound ? here : []),
    orphans: areSound ? (isKnownHere || isComplete ? "removable" : "shown") : "unknown",
  };
}

function objectsOn(backend: InspectedBackend["backend"], { objects }: StateFile): StateFile["objects"] {
  return objects.filter((object) => backend.answersTo(object.backend));
}

/** `1 object`, `2 objects`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
