import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboards, textOf } from './dashboards';

const folder = join(__dirname, '../dashboards');
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) rmSync(join(folder, file));
for (const [file, dashboard] of Object.entries(dashboards())) {
  writeFileSync(join(folder, file), textOf(dashboard));
}
