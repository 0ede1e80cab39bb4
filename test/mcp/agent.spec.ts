import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { StoreProcess, until } from '../sample-app/store-process';
import { startPostgres } from '../support/postgres';
import { Agent } from './client';

const repository = join(__dirname, '../..');
const built = join(repository, 'sample-app/dist');
const command = join(repository, 'dist/cjs/cli/main.js');

/** Loads the tracks of a page with its albums. */
function patched(source: string): string {
  const parts = source.split('const albums = await this.list(page);');
  if (parts.length !== 2)
    throw new Error('The sample application has changed: patch it where it is slow now');
  return parts.join(`const albums = await this.albums.find({
      relations: { artist: true, tracks: true }, order: { id: 'ASC' }, skip: page * PAGE, take: PAGE });`);
}

function compiled(source: string): string {
  return transpileModule(source, {
    compilerOptions: {
      module: ModuleKind.CommonJS,
      target: ScriptTarget.ES2022,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      esModuleInterop: true,
    },
  }).outputText;
}

describe('an agent of the sample application, over stdio', () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let directory: string;
  let copy: string;
  let store: StoreProcess | undefined;
  let url = '';
  let agent: Agent;

  const start = async (folder?: string): Promise<void> => {
    const env = {
      PORT: new URL(url || 'http://localhost:0').port || '0',
      DATABASE_URL: postgres.url,
      PERFORMANCE_DIRECTORY: directory,
      OTEL_HTTP_THRESHOLD_MS: '1',
    };
    store = StoreProcess.open(env, ['--quiet'], {}, folder && join(folder, 'main.js'));
    url = await store.address();
  };
  const request = async (times: number): Promise<unknown> => {
    let albums: unknown;
    for (let time = 0; time < times; time++) albums = await (await fetch(`${url}/albums/with-tracks`)).json();
    return albums;
  };

  beforeAll(async () => {
    // Below the repository, so that it finds the package.
    copy = await mkdtemp(join(repository, 'dist/sample-app-'));
    directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-agent-'));
    postgres = await startPostgres();
    await start();
    agent = await Agent.over(
      new StdioClientTransport({
        command: process.execPath,
        args: [command, 'mcp', `${url}/performance`],
        stderr: 'pipe',
      }),
    );
  }, 120_000);

  afterAll(async () => {
    await agent?.close();
    await store?.close();
    await postgres?.stop();
    for (const folder of [copy, directory])
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('finds the N+1, patches its line, and verifies that it is better', async () => {
    const before = await request(35);
    const [finding] = await until(async () => {
      const { data } = await agent.call('list_findings', { type: 'n_plus_one' });
      return data.findings[0]?.callSite === undefined ? undefined : data.findings;
    }, 'the finding with its line');
    expect(finding).toMatchObject({ route: 'GET /albums/with-tracks', repetitions: 50 });

    // The line leads into the workspace.
    const { file, line } = finding.callSite;
    const path = join(repository, file);
    const source = await readFile(path, 'utf8');
    expect(source.split('\n')[line - 1]).toContain('await album.tracks');
    const known = await agent.call('get_code_context', { file: path });
    expect(known.data.findings).toMatchObject([{ id: finding.id }]);
    const { data } = await agent.call('get_operation', { operation: finding.route });
    expect(data).toMatchObject({ handler: 'CatalogController.albumsWithTracks', lifetime: { count: 35 } });

    await cp(built, copy, { recursive: true });
    await writeFile(join(copy, 'catalog/catalog.service.js'), compiled(patched(source)));
    await store?.close();
    const stopped = await agent.call('get_overview').catch((error: Error) => error.message);
    expect(stopped).toContain('connection refused: check that the application is running');
    await start(copy);
    expect(await request(35)).toEqual(before);

    const verified = await agent.call('verify_fix', { measurement: data.measurement });
    expect(verified.data).toMatchObject({ verdict: 'better', before: { count: 35 }, after: { count: 35 } });
    const statements = verified.data.measures.find(
      ({ measure }: { measure: string }) => measure === 'statements',
    );
    expect(statements.verdict).toBe('better');
    expect(statements.before).toBeGreaterThan(50);
    expect(statements.after).toBeLessThan(5);
    expect((await agent.call('list_findings', { type: 'n_plus_one' })).data.findings).toEqual([]);
  }, 180_000);
});
