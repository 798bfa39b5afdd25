/** Stands for a value that the engine does not know yet. Only in configurations and plans, never in state. */
export const UNKNOWN: unique symbol = Symbol("unknown");
export type Unknown = typeof UNKNOWN;

/** Any value of any attribute. Integers are `number`; an attribute that is not set is `null`. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Unknown
  | readonly Value[]
  | { readonly [key: string]: Value };

/** The attributes of one resource, data source or provider block, by name. */
export type Values = { readonly [attribute: string]: Value };

/** `T` with any part of it possibly unknown. */
export type Unknowable<T> =
  | Unknown
  | (T extends readonly (infer E)[]
      ? readonly Unknowable<E>[]
      : T extends object
        ? { readonly [K in keyof T]: Unknowable<T[K]> }
        : T);

export function isUnknown(value: unknown): value is Unknown {
  return value === UNKNOWN;
}

/** True when neither `value` nor anything in it is unknown. */
export function isWhollyKnown(value: Value): boolean {
  if (value === UNKNOWN) return false;
  if (Array.isArray(value)) return value.every(isWhollyKnown);
  if (value !== null && typeof value === "object") return Object.values(value).every(isWhollyKnown);
  return true;
}

/** Structural equality; an unknown equals only an unknown. */
export function valuesEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => valuesEqual(item, b[index] ?? null))
    );
  }
  const left = a as Values;
  const right = b as Values;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && valuesEqual(left[key] ?? null, right[key] ?? null))
  );
}
