// Figures of several rounds, and their output.

/** The median. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `median (min to max)`: the spread shows the noise of a shared machine. */
export function spread(numbers, digits = 1) {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return `${median(numbers).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** Prints a Markdown table. */
export function table(header, rows) {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  print([line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n'));
}

/** Prints whether a figure meets its target. A miss is no error, because the machine may be busy. */
export function verdict(what, figure, target, unit) {
  const word = figure <= target ? 'met' : 'MISSED';
  print(`Target ${word}: ${what} ${figure.toFixed(2)}${unit}, limit ${target}${unit}.`);
}

export function print(text) {
  process.stdout.write(`${text}\n`);
}
