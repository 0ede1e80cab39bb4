/** A Markdown table. Columns without any content are left out. */
export function table(head, rows) {
  const kept = head.flatMap((_, index) => (rows.some((row) => row[index]) ? [index] : []));
  const line = (cells) => `| ${kept.map((index) => escapeCell(cells[index] ?? '')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function escapeCell(text) {
  return text.replaceAll('\n', ' ').replace(/(?<!\\)\|/g, '\\|');
}
