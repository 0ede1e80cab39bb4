import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { circlesIn, importsIn } from './imports.js';

const ROOT = resolve(__dirname, '../..');
const FLOORS: { floor: string; folders: Record<string, string> }[] = JSON.parse(
  readFileSync(join(ROOT, 'tools/floors.json'), 'utf8'),
);
const { files, imports } = importsIn(join(ROOT, 'lib'));

/** The folder of the list that a file is in, the innermost one, and its floor: 0 is the ground. */
function placeOf(file: string): { folder: string; floor: number } {
  const folders = FLOORS.flatMap((each, floor) =>
    Object.keys(each.folders).map((folder) => ({ folder, floor })),
  );
  const containing = folders.filter(({ folder }) => file.startsWith(`${folder}/`));
  const [place] = containing.sort((one, other) => other.folder.length - one.folder.length);
  // The entry point stands on all floors.
  return place ?? { folder: '.', floor: file === 'index.ts' ? FLOORS.length : Number.NaN };
}

describe('the floors of tools/floors.json', () => {
  it('have a place for each file', () => {
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter((file) => Number.isNaN(placeOf(file).floor))).toEqual([]);
    for (const { folders } of FLOORS)
      for (const folder of Object.keys(folders))
        expect(files.some((file) => placeOf(file).folder === folder)).toBe(true);
  });

  it('are imported from above alone, types included', () => {
    expect(imports.length).toBeGreaterThan(1000);
    const wrong = imports.filter(({ from, to }) => {
      const [importer, imported] = [placeOf(from), placeOf(to)];
      return importer.folder !== imported.folder && importer.floor <= imported.floor;
    });
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('have no circle, types included', () => {
    expect(circlesIn(imports)).toEqual([]);
  });

  it('are the map of ARCHITECTURE.md', () => {
    const rows = FLOORS.flatMap(({ floor, folders }) =>
      Object.entries(folders).map(([folder, what]) => [floor, `\`${folder}/\``, what]),
    );
    const table = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const start = table.findIndex(([floor]) => floor === 'floor');
    expect(table.slice(start + 2, start + 2 + rows.length)).toEqual(rows);
  });
});

describe('a circle', () => {
  it('is found, and a chain is not one', () => {
    const chain = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
    ];
    expect(circlesIn(chain)).toEqual([]);
    expect(circlesIn([...chain, { from: 'c', to: 'a' }])).toEqual([['a', 'b', 'c']]);
  });
});
