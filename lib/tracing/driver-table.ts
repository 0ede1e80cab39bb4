import type { DriverStatus } from '../operation/driver-status.js';

/** The drivers as a table for the log: seen or not, how, and what to do. */
export function driverTable(drivers: readonly DriverStatus[]): string {
  const rows = drivers.map(({ driver, version = '', seen, how, advice = '' }) => [
    `${driver} ${version}`.trim(),
    seen ? 'seen' : 'not seen',
    how,
    advice,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0), 0));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return ['Drivers:', ...lines].join('\n  ');
}
