import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = join(__dirname, 'statements');

/** A statement in which secrets are planted, and what must remain of it. */
export interface PlantedStatement {
  /** The value of `db.system.name`. */
  readonly system: string;
  readonly text: string;
  /** The same with other literals. */
  readonly other: string;
  /** Words that its text without literals contains, in this order. */
  readonly remains: readonly string[];
}

/** The beginning of each planted word, and the digits of each planted number. */
export const SECRET = 'zqx';
export const SECRET_NUMBER = '77007';
export const LEAK = new RegExp(`${SECRET}|${SECRET_NUMBER}`, 'i');

const SYSTEMS = new Map(
  Object.entries({
    oracle: 'oracle.db',
    sqlserver: 'microsoft.sql_server',
    bigquery: 'gcp.bigquery',
  }),
);

/**
 * The statements of the files, one a line, with the words that remain after the last tab. In them, `§` stands for a planted
 * word, `‡` for a planted number and `⏎` for a line break.
 */
export const PLANTED: readonly PlantedStatement[] = readdirSync(DIRECTORY).flatMap((file) => {
  const name = file.replace('.txt', '');
  const lines = readFileSync(join(DIRECTORY, file), 'utf8').split('\n');
  return lines.filter(Boolean).map((line, index) => {
    const end = line.lastIndexOf('\t');
    const statement = line.slice(0, end).replaceAll('⏎', '\n');
    return {
      system: SYSTEMS.get(name) ?? name,
      text: statement.replaceAll('§', `${SECRET}${name}${index}`).replaceAll('‡', SECRET_NUMBER),
      other: statement.replaceAll('§', 'another').replaceAll('‡', '4'),
      remains: line
        .slice(end + 1)
        .split(' ')
        .filter(Boolean),
    };
  });
});
