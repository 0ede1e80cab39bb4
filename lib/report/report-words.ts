/** Truncates a text to `max` characters. Surrogate pairs count as one and are not split. */
export function shortened(text: string, max: number): string {
  const points = Array.from(text.slice(0, 2 * max + 2));
  return points.length > max ? `${points.slice(0, max - 1).join('')}…` : points.join('');
}

/** The explanation of a slow operation, prefixed with its name unless it starts with it. */
export function slowSentence({ name, explanation }: { name: string; explanation: string }): string {
  return explanation.startsWith(name) ? explanation : `${name}: ${explanation}`;
}
