import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { satisfies } from 'semver';
import { run, succeed } from './processes';
import { repository, tarball } from './tarball';
import { describeWithRegistry } from './with-registry';

interface Locked {
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
}

const read = (file: string): unknown => JSON.parse(readFileSync(join(repository, file), 'utf8'));
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> };
const locked = Object.entries(packages).filter(([path]) => path !== '');
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('npm ci', () => {
  it.each(['20.19.0', '22.13.0', '24.11.0', '26.0.0'])('warns of no engine on Node %s', (version) => {
    const refused = locked.filter(([, { engines }]) => !satisfies(version, engines?.node ?? '*'));
    expect(refused.map(([path, { engines }]) => `${path} wants ${engines?.node}`)).toEqual([]);
  });

  it('runs no install script, and says so', () => {
    const scripted = locked
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => nameOf(path));
    expect(scripted.filter((name) => !Object.hasOwn(allowScripts, name))).toEqual([]);
    expect(Object.values(allowScripts).some(Boolean)).toBe(false);
  });

  it('installs each package of OpenTelemetry once', () => {
    const names = locked.filter(([, { dev }]) => dev !== true).map(([path]) => nameOf(path));
    const ofTelemetry = names.filter((name) => name.startsWith('@opentelemetry/'));
    expect(ofTelemetry).toContain('@opentelemetry/sdk-trace-node');
    expect(ofTelemetry.filter((name, index) => ofTelemetry.indexOf(name) !== index)).toEqual([]);
  });

  it('names no registry', () => {
    expect(locked.filter(([, { resolved }]) => resolved?.startsWith('http'))).toEqual([]);
  });
});

describeWithRegistry('an application that has Nest 11 only through its framework', () => {
  it('installs this package beside it, with that Nest', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-framework-'));
    const write = (path: string, content: object): void => {
      mkdirSync(join(folder, path));
      writeFileSync(join(folder, path, 'package.json'), JSON.stringify({ version: '1.0.0', ...content }));
    };
    const lock = (packages: readonly string[]): Promise<unknown> => {
      const options = ['--package-lock-only', '--no-audit', '--no-fund', '--prefer-offline'];
      return succeed('npm', ['install', ...options, ...packages], join(folder, 'application'), 120_000);
    };
    try {
      write('framework', {
        name: 'framework',
        dependencies: {
          '@nestjs/apollo': '~13.1.0',
          '@nestjs/common': '^11.1.4',
          '@nestjs/core': '^11.1.4',
          '@nestjs/graphql': '~13.1.0',
          '@nestjs/platform-express': '^11.1.4',
          graphql: '^16.11.0',
          'reflect-metadata': '^0.2.2',
          rxjs: '^7.8.1',
        },
      });
      write('application', { name: 'application', private: true });
      const { stdout } = await succeed('npm', ['pack', '--silent'], join(folder, 'framework'));
      await lock([join(folder, 'framework', stdout.trim())]);
      await lock([await tarball()]);
      const installed = JSON.parse(readFileSync(join(folder, 'application/package-lock.json'), 'utf8')) as {
        packages: Record<string, { version: string }>;
      };
      const nests = Object.entries(installed.packages).filter(([path]) => path.endsWith('/@nestjs/core'));
      expect(nests.map(([, { version }]) => version.split('.')[0])).toEqual(['11']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 300_000);
});

describe('npm start and npm test', () => {
  it('say in one sentence that the dependencies are not installed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'without dependencies '));
    try {
      mkdirSync(join(folder, 'tools'));
      copyFileSync(join(repository, 'tools/build.mjs'), join(folder, 'tools/build.mjs'));
      const { code, stderr } = await run(process.execPath, ['tools/build.mjs'], folder);
      expect([code, stderr]).toEqual([1, 'The dependencies are not installed: run npm ci\n']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
