import type { Unknowable, Value } from "./value.ts";

/**
 * Who sets an attribute, and whether it can be null in state.
 *
 * `required`, `optional` (null when unset), `defaulted` (optional, with a constant default): the user.
 * `optional_computed`: the user, or else the backend. `computed`, `computed_nullable`: the backend alone.
 */
export type Presence =
  | "required"
  | "optional"
  | "defaulted"
  | "optional_computed"
  | "computed"
  | "computed_nullable";

/** Checks one known value. */
export interface Validator<T> {
  /** Completes "must …" in the reference docs. */
  readonly description: string;
  /** What is wrong with `value`, as a full sentence that quotes it; undefined when nothing is. */
  check(value: T): string | undefined;
}

interface CommonOptions<T> {
  /** Markdown; full sentences; units named. */
  readonly description: string;
  /** The value is a secret: engines mask it. Only in provider settings; no resource keeps one in state. */
  readonly sensitive?: boolean;
  /** Sent to the provider but never stored in plan or state (Terraform 1.11 and later). */
  readonly writeOnly?: boolean;
  /** A change makes a new object in place of the old one. */
  readonly replaces?: boolean;
  /** Computed: any change of the resource can change it, so that a plan with changes shows it as unknown. */
  readonly volatile?: boolean;
  /** Why not to use it any more; shown as a warning. */
  readonly deprecated?: string;
  readonly validators?: readonly Validator<T>[];
  /** For the reference docs. */
  readonly example?: Value;
}

export type AttributeOptions<T, P extends Presence> = CommonOptions<T> &
  (P extends "defaulted" ? { readonly default: T } : { readonly default?: never });

/** The shape of a value. */
export type AttributeType =
  | { readonly kind: "string" }
  | { readonly kind: "integer" }
  | { readonly kind: "number" }
  | { readonly kind: "boolean" }
  /** Any keys, one kind of value. */
  | { readonly kind: "map"; readonly element: AttributeType }
  | { readonly kind: "list"; readonly element: AttributeType }
  /** Named attributes of its own. */
  | { readonly kind: "object"; readonly attributes: AttributeSet }
  /** Any keys, each an object of these attributes. */
  | { readonly kind: "object_map"; readonly attributes: AttributeSet }
  /** A list of objects of these attributes. */
  | { readonly kind: "object_list"; readonly attributes: AttributeSet };

/** One declared attribute. `T` is its value's type when known and set. */
export interface Attribute<T = unknown, P extends Presence = Presence> {
  readonly type: AttributeType;
  readonly presence: P;
  readonly description: string;
  readonly sensitive: boolean;
  readonly writeOnly: boolean;
  readonly replaces: boolean;
  readonly volatile: boolean;
  readonly deprecated: string | undefined;
  /** Only for `defaulted`. */
  readonly default: Value;
  readonly validators: readonly Validator<never>[];
  readonly example: Value | undefined;
  /** Carries `T` in the type alone; never set. */
  readonly phantom?: T;
}

export type AttributeSet = { readonly [name: string]: Attribute };

type TypeOf<X> = X extends Attribute<infer T, Presence> ? T : never;
type Nullable<X> =
  X extends Attribute<unknown, infer P> ? (P extends "optional" | "computed_nullable" ? null : never) : never;
type UnsetInConfig<X> = X extends Attribute<unknown, infer P> ? (P extends "required" ? never : null) : never;

/** What state holds: everything known. */
export type State<A extends AttributeSet> = {
  readonly [K in keyof A]: TypeOf<A[K]> | Nullable<A[K]>;
};

/** What a plan holds: anything may be unknown. */
export type Planned<A extends AttributeSet> = {
  readonly [K in keyof A]: Unknowable<TypeOf<A[K]>> | Nullable<A[K]>;
};

/** What the user wrote, before defaults: unset is null, anything may be unknown. */
export type Config<A extends AttributeSet> = {
  readonly [K in keyof A]: Unknowable<TypeOf<A[K]>> | UnsetInConfig<A[K]>;
};

/** What the user wrote, all of it known; nested attributes included. */
export type KnownConfig<A extends AttributeSet> = {
  readonly [K in keyof A]: TypeOf<A[K]> | UnsetInConfig<A[K]>;
};

function attribute<T, P extends Presence>(
  type: AttributeType,
  presence: P,
  options: AttributeOptions<T, P>,
): Attribute<T, P> {
  return {
    type,
    presence,
    description: options.description,
    sensitive: options.sensitive ?? false,
    writeOnly: options.writeOnly ?? false,
    replaces: options.replaces ?? false,
    volatile: options.volatile ?? false,
    deprecated: options.deprecated,
    default: (options.default as Value | undefined) ?? null,
    validators: (options.validators ?? []) as readonly Validator<never>[],
    example: options.example,
  };
}

export function string<P extends Presence>(
  presence: P,
  options: AttributeOptions<string, P>,
): Attribute<string, P> {
  return attribute({ kind: "string" }, presence, options);
}

/** One of a closed set of strings. */
export function choice<const C extends readonly string[], P extends Presence>(
  choices: C,
  presence: P,
  options: AttributeOptions<C[number], P>,
): Attribute<C[number], P> {
  const listed = choices.map((entry) => `"${entry}"`).join(", ");
  const oneOf: Validator<C[number]> = {
    description: `be one of ${listed}`,
    check: (value) => (choices.includes(value) ? undefined : `It must be one of ${listed}, not "${value}".`),
  };
  return attribute({ kind: "string" }, presence, {
    ...options,
    validators: [oneOf, ...(options.validators ?? [])],
  } as AttributeOptions<C[number], P>);
}

export function integer<P extends Presence>(
  presence: P,
  options: AttributeOptions<number, P>,
): Attribute<number, P> {
  const whole: Validator<number> = {
    description: "be a whole number",
    check: (value) => (Number.isInteger(value) ? undefined : `It must be a whole number, not ${value}.`),
  };
  return attribute({ kind: "integer" }, presence, {
    ...options,
    validators: [whole, ...(options.validators ?? [])],
  } as AttributeOptions<number, P>);
}

export function number<P extends Presence>(
  presence: P,
  options: AttributeOptions<number, P>,
): Attribute<number, P> {
  return attribute({ kind: "number" }, presence, options);
}

export function boolean<P extends Presence>(
  presence: P,
  options: AttributeOptions<boolean, P>,
): Attribute<boolean, P> {
  return attribute({ kind: "boolean" }, presence, options);
}

export function stringMap<P extends Presence>(
  presence: P,
  options: AttributeOptions<Readonly<Record<string, string>>, P>,
): Attribute<Readonly<Record<string, string>>, P> {
  return attribute({ kind: "map", element: { kind: "string" } }, presence, options);
}

export function stringList<P extends Presence>(
  presence: P,
  options: AttributeOptions<readonly string[], P>,
): Attribute<readonly string[], P> {
  return attribute({ kind: "list", element: { kind: "string" } }, presence, options);
}

export function object<const A extends AttributeSet, P extends Presence>(
  attributes: A,
  presence: P,
  options: AttributeOptions<KnownConfig<A>, P>,
): Attribute<KnownConfig<A>, P> {
  return attribute({ kind: "object", attributes }, presence, options);
}

export function objectMap<const A extends AttributeSet, P extends Presence>(
  attributes: A,
  presence: P,
  options: AttributeOptions<Readonly<Record<string, KnownConfig<A>>>, P>,
): Attribute<Readonly<Record<string, KnownConfig<A>>>, P> {
  return attribute({ kind: "object_map", attributes }, presence, options);
}

export function objectList<const A extends AttributeSet, P extends Presence>(
  attributes: A,
  presence: P,
  options: AttributeOptions<readonly KnownConfig<A>[], P>,
): Attribute<readonly KnownConfig<A>[], P> {
  return attribute({ kind: "object_list", attributes }, presence, options);
}

/** True when the user can set the attribute. */
export function isConfigurable(attribute: Attribute): boolean {
  return attribute.presence !== "computed" && attribute.presence !== "computed_nullable";
}

/** True when the backend can set the attribute. */
export function isComputed(attribute: Attribute): boolean {
  return (
    attribute.presence === "computed" ||
    attribute.presence === "computed_nullable" ||
    attribute.presence === "optional_computed"
  );
}

/** The attributes inside an attribute, if its shape has any. */
export function nestedAttributes(type: AttributeType): AttributeSet | undefined {
  return "attributes" in type ? type.attributes : undefined;
}
