import { exportedFrom } from './program.mjs';
import { table } from './table.mjs';

/** OpenTelemetry's variables that no option reads, as the built package has them. */
export async function variableTable(program) {
  const variables = await exportedFrom(program, 'TELEMETRY_VARIABLES');
  return table(
    ['variable', 'accepts', 'default', 'meaning'],
    Object.entries(variables).map(([name, variable]) => [
      `\`${name}\``,
      variable.accepts,
      variable.default,
      variable.meaning,
    ]),
  );
}
