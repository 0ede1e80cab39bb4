/** How many results are kept, and of texts up to which length: longer ones rarely repeat. */
const LIMITS = { capacity: 1000, maxText: 1000 };

/**
 * A function of a text that keeps its results for recent texts. Bounded: when the recent generation has half the capacity, it
 * replaces the previous one.
 */
export function cachedByText<Result extends string | boolean>(
  compute: (text: string) => Result,
  { capacity, maxText } = LIMITS,
): (text: string) => Result {
  let recent = new Map<string, Result>();
  let previous = new Map<string, Result>();
  return (text) => {
    if (text.length > maxText) return compute(text);
    const known = recent.get(text);
    if (known !== undefined) return known;
    const result = previous.get(text) ?? compute(text);
    if (recent.size >= capacity / 2) {
      previous = recent;
      recent = new Map();
    }
    recent.set(text, result);
    return result;
  };
}
