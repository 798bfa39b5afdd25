import type { Leftover } from "../../contract/index.ts";

/** What is wrong with something that stands on the storage. */
export type Condition =
  /** Whole, and no state holds it. */
  | "orphan"
  /** Begun by a run that did not finish, with no work going on. */
  | "half_made"
  /** What was made for something that is gone, or whole by now. */
  | "left_over"
  /** Neither there nor gone. */
  | "damaged"
  /** It may belong to a run under way. */
  | "in_progress"
  /** Given up on purpose. */
  | "retained";

/** Where something stands that is listed, and what removes it. */
export type Place =
  | { readonly kind: "volume" | "snapshot"; readonly uuid: string }
  | { readonly kind: "attachment"; readonly uuid: string; readonly volumeId: string }
  | { readonly kind: "export"; readonly volumeId: string }
  | { readonly kind: "acl"; readonly volumeId: string; readonly initiator: string }
  | { readonly kind: "job"; readonly jobId: string; readonly directory: string }
  | { readonly kind: Leftover["kind"]; readonly leftover: Leftover };

/** Something on a backend that carries its owner's mark, and what there is to say of it. */
export interface Finding {
  /** `<backend>/<uuid>`, or `<backend>/<kind>:<name>` for what has no id of its own. Unique in one run. */
  readonly id: string;
  readonly place: Place;
  readonly condition: Condition;
  /** The user's name for it, or its own on the host. */
  readonly name: string;
  /** Why it is listed; a full sentence. */
  readonly reason: string;
  /** Whether `breezeblock doctor` can remove it; `forced`: only when told to take access from who may use it. */
  readonly removable: boolean | "forced";
  /** What to do about it; a full sentence. */
  readonly nextStep: string;
}

/** What stands on one backend, judged. */
export interface Judgement {
  readonly findings: readonly Finding[];
  /** Being made or changed now, as far as can be told. */
  readonly inProgress: readonly Finding[];
  /** Given up on purpose. */
  readonly retained: readonly Finding[];
  /** How many left-over things carry nobody's mark. They are not listed, whoever made them. */
  readonly unmarked: number;
}

export function findingId(backend: string, place: Place): string {
  switch (place.kind) {
    case "volume":
    case "snapshot":
    case "attachment":
      return `${backend}/${place.uuid}`;
    case "export":
      return `${backend}/export:${place.volumeId}`;
    case "acl":
      return `${backend}/acl:${place.volumeId}:${place.initiator}`;
    case "job":
      return `${backend}/job:${place.jobId}`;
    case "helper":
    case "file":
      return `${backend}/${place.kind}:${place.leftover.name}`;
  }
}
