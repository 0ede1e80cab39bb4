import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata, Server } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject } from '@nestjs/common';
import {
  type ClientGrpc,
  ClientsModule,
  GrpcMethod,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { trace } from '@opentelemetry/api';
import { firstValueFrom, lastValueFrom, type Observable, of, Subject, toArray } from 'rxjs';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application';
import { sleep } from '../support/tracing';

const PROTO = `
syntax = "proto3";
package music.store;
service Albums {
  rpc Find (Query) returns (Album);
  rpc List (Query) returns (stream Album);
}
message Query { int32 id = 1; }
message Album { int32 id = 1; string trace = 2; string tenant = 3; }
`;

interface Album {
  id: number;
  trace: string;
  tenant: string;
}
interface Albums {
  find(query: { id: number }, metadata?: Metadata): Observable<Album>;
  list(query: { id: number }): Observable<Album>;
}

const activeTrace = (): string => trace.getActiveSpan()?.spanContext().traceId ?? '';

@Controller()
class AlbumsController {
  readonly metadata = new Metadata();
  readonly albums: Albums;
  calls = 0;
  constructor(@Inject('SERVICE') client: ClientGrpc) {
    this.metadata.set('tenant', 'shop');
    this.albums = client.getService<Albums>('Albums');
  }

  @Get('find')
  async seek(): Promise<unknown> {
    const plain = await firstValueFrom(this.albums.find({ id: 1 }));
    const tagged = await firstValueFrom(this.albums.find({ id: 2 }, this.metadata));
    return { trace: activeTrace(), plain, tagged };
  }

  @GrpcMethod('Albums', 'Find')
  async find({ id }: { id: number }, metadata: Metadata): Promise<Album> {
    this.calls++;
    await sleep(1);
    if (id < 0) throw new RangeError('of the handler');
    return { id, trace: activeTrace(), tenant: String(metadata.get('tenant')[0] ?? '') };
  }

  @GrpcMethod('Albums', 'List')
  list(): Observable<Album> {
    return of(1, 2, 3).pipe((ids) => {
      const albums = new Subject<Album>();
      setImmediate(() => {
        ids.subscribe((id) => albums.next({ id, trace: '', tenant: '' }));
        albums.complete();
      });
      return albums;
    });
  }
}

describe('calls of gRPC', () => {
  let application: TestApplication;
  let folder = '';
  let controller: AlbumsController;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-grpc-'));
    const protoPath = join(folder, 'albums.proto');
    await writeFile(protoPath, PROTO);
    const service: MicroserviceOptions = {
      transport: Transport.GRPC,
      options: { package: 'music.store', protoPath, url: '127.0.0.1:5149' },
    };
    application = await startApplication('express', {
      imports: [ClientsModule.register([{ name: 'SERVICE', ...service } as never]) as never],
      controllers: [AlbumsController],
      before: async (app) => {
        app.connectMicroservice(service);
        await app.startAllMicroservices();
      },
    });
    controller = application.app.get(AlbumsController);
  });
  afterAll(async () => {
    await application.app.close();
    await rm(folder, { recursive: true });
  });

  it('continue the trace of the request, with the metadata that was given', async () => {
    const response = await fetchFromOutside(`${application.url}/find`);
    const seen = (await response.json()) as { trace: string; plain: Album; tagged: Album };
    expect(seen.plain).toMatchObject({ id: 1, trace: seen.trace });
    expect(seen.tagged).toEqual({ id: 2, trace: seen.trace, tenant: 'shop' });
    expect(Object.keys(controller.metadata.getMap())).toEqual(['tenant']);
    await until(() => application.operation('send Albums/Find')?.count === 2);
    expect(application.operation('send Albums/Find')).toMatchObject({ type: 'rpc', errorCount: 0 });
    expect(application.operation('Albums/Find')).toMatchObject({ type: 'rpc', count: 2 });
  });

  it('are left to an instrumentation of gRPC', async () => {
    const { register } = Server.prototype;
    Server.prototype.register = Object.assign(() => true, { __wrapped: true });
    const counts = () => application.operation('send Albums/Find')?.count;
    const before = counts();
    const { trace: remote } = await firstValueFrom(controller.albums.find({ id: 1 }));
    Server.prototype.register = register;
    expect(remote).toMatch(/^[\da-f]{32}$/);
    expect(counts()).toBe(before);
  });

  it('are made for each subscription, and have their streams and errors', async () => {
    const calls = controller.calls;
    const found = controller.albums.find({ id: 3 });
    await sleep(20);
    expect(controller.calls).toBe(calls);
    await firstValueFrom(found);
    expect(
      (await lastValueFrom(controller.albums.list({ id: 1 }).pipe(toArray()))).map(({ id }) => id),
    ).toEqual([1, 2, 3]);
    await expect(firstValueFrom(controller.albums.find({ id: -1 }))).rejects.toMatchObject({ code: 2 });
    await until(() => application.operation('send Albums/Find')?.errorCount === 1);
    await until(() => application.operation('send Albums/List')?.count === 1);
  });
});
