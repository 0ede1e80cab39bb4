import { gzipSync } from 'node:zlib';
import type { INestApplication } from '@nestjs/common';
import { type PageBundle, PageFiles } from '../../lib/dashboard/page-files.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import type { PerformanceModuleExtras } from '../../lib/nest/performance.module.js';
import { type Platform, startApplication, type TestApplication } from '../support/application.js';

export const SCRIPT = `document.title = 'loaded';\n${'// a page has some length\n'.repeat(200)}`;

/** Replaces the page of the build. */
export const BUNDLE: PageBundle = {
  'app.js': file('text/javascript; charset=utf-8', SCRIPT),
  'app.css': file('text/css; charset=utf-8', 'body{margin:0}'),
};

function file(type: string, content: string): PageBundle[string] {
  return { type, etag: `"${content.length}"`, gzip: gzipSync(content).toString('base64') };
}

/** Starts an application with these files as its page. */
export function startPage(
  platform: Platform,
  options: PerformanceOptions & PerformanceModuleExtras = {},
  before: (app: INestApplication) => unknown = () => {},
  bundle: PageBundle = BUNDLE,
): Promise<TestApplication> {
  return startApplication(
    platform,
    {
      before: (app) => {
        app.get(PageFiles).load = async () => bundle;
        return before(app);
      },
    },
    options,
  );
}
