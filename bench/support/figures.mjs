// Medians of rounds, and how they are shown.

/** The middle one of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `median (min-max)`: without its spread a figure of a shared machine says little. */
export function spread(numbers, digits = 1) {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return `${median(numbers).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** Prints rows as a table in Markdown, so that it can be copied into a document. */
export function table(header, rows) {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  print([line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n'));
}

/** Says whether a figure is within its target, and never fails for it: a noisy machine is not a fault. */
export function verdict(what, figure, target, unit) {
  const word = figure <= target ? 'met' : 'MISSED';
  print(`Target ${word}: ${what} ${figure.toFixed(2)}${unit}, at most ${target}${unit}.`);
}

export function print(text) {
  process.stdout.write(`${text}\n`);
}
