import type { AttributeSet, Planned, State } from "./attribute.ts";
import { isWhollyKnown, type Value } from "./value.ts";

/**
 * The named attributes of a plan, and no others, when it is carried out: engines promise that everything but what is computed is known
 * by then.
 *
 * @throws Error when one of them is unknown all the same: a bug in engine or provider
 */
export function settled<A extends AttributeSet, const K extends keyof A & string>(
  planned: Planned<A>,
  names: readonly K[],
): Pick<State<A>, K> {
  for (const name of names) {
    if (!isWhollyKnown(planned[name] as Value)) throw new Error(`"${name}" is still unknown at apply`);
  }
  return Object.fromEntries(names.map((name) => [name, planned[name]])) as unknown as Pick<State<A>, K>;
}
