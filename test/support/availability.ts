/** Whether tests can have something that they need. */
export interface Availability {
  readonly available: boolean;
  /** Why not, as a test prints it: `left out: …`. Empty when available. */
  readonly reason: string;
}

/** The name of a test or suite that needs something: where it is missing, the closing summary shows why. */
export function titled(name: string, { available, reason }: Availability): string {
  return available ? name : `${name}, ${reason}`;
}
