/** A package that works for the application, such as a database driver, and whether that work is seen. */
export interface DriverStatus {
  /** The name of the package, or of a part of Node such as `node:http`. */
  driver: string;
  /** Absent for parts of Node. */
  version?: string;
  seen: boolean;
  /** How it is seen, or why it is not. */
  how: string;
  /** What to do so that it is seen. */
  advice?: string;
}

/** The drivers as a table for the log: seen or not, how, and what to do. */
export function driverTable(drivers: readonly DriverStatus[]): string {
  const rows = drivers.map(({ driver, version = '', seen, how, advice = '' }) => [
    `${driver} ${version}`.trim(),
    seen ? 'seen' : 'not seen',
    how,
    advice,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0), 0));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return ['Drivers:', ...lines.map((line) => line.trimEnd())].join('\n  ');
}
