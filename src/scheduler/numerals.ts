const numeral = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** The number that `text` is written as, in decimal; undefined where it is none, or none that can be held. */
export function readNumeral(text: string): number | undefined {
  if (!numeral.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
