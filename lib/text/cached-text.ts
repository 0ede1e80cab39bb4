/** Longer texts rarely repeat. */
const MAX_TEXT = 1000;
const CAPACITY = 1000;

/**
 * A function of a text that keeps its results for recent texts. Bounded: when the recent generation has half the capacity, it
 * replaces the previous one.
 */
export function cachedByText<Result extends string | boolean>(
  compute: (text: string) => Result,
): (text: string) => Result {
  let recent = new Map<string, Result>();
  let previous = new Map<string, Result>();
  return (text) => {
    if (text.length > MAX_TEXT) return compute(text);
    const known = recent.get(text);
    if (known !== undefined) return known;
    const result = previous.get(text) ?? compute(text);
    if (recent.size >= CAPACITY / 2) {
      previous = recent;
      recent = new Map();
    }
    recent.set(text, result);
    return result;
  };
}
