// Compares the types of the build with the public API recorded in api/, one report for each entry point.
// `--update` writes the reports instead.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('..', import.meta.url));
const update = process.argv.includes('--update');
/** The files of dist/cjs whose exports are public, by the names of their reports. */
const ENTRY_POINTS = { 'nestjs-performance': 'index', testing: 'testing/index' };

const reportTempFolder = mkdtempSync(join(tmpdir(), 'nestjs-performance-api-'));
try {
  for (const [reportFileName, file] of Object.entries(ENTRY_POINTS)) {
    const { apiReportChanged, errorCount } = Extractor.invoke(configOf(reportFileName, file), {
      localBuild: update,
      messageCallback: (message) => {
        message.handled = message.logLevel !== 'error';
      },
    });
    if (errorCount > 0) process.exitCode = 1;
    if (!apiReportChanged) continue;
    process.stdout.write(`api/${reportFileName}.api.md ${update ? 'is updated' : 'differs from dist'}\n`);
    if (!update) process.exitCode = 1;
  }
} finally {
  rmSync(reportTempFolder, { recursive: true });
}
if (process.exitCode === 1)
  process.stderr.write('The public API has changed: run npm run api, and review and commit the reports.\n');

function configOf(reportFileName, file) {
  return ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, `dist/cjs/${file}.d.ts`),
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
      apiReport: { enabled: true, reportFileName, reportFolder: join(root, 'api'), reportTempFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: 'warning', addToApiReportFile: true },
          // A name without a tag is public.
          'ae-missing-release-tag': { logLevel: 'none' },
          'ae-undocumented': { logLevel: 'none' },
          // `{@link member}` is resolved by editors, within the class.
          'ae-unresolved-link': { logLevel: 'none' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
}
