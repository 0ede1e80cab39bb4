import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import {
  type BeforeApplicationShutdown,
  ConflictException,
  Controller,
  Get,
  HttpException,
  HttpStatus,
  Inject,
  NotFoundException,
  Post,
  type Type,
} from '@nestjs/common';
import { withoutFolders } from '../../code/code-path.js';
import type { ProfileRecord } from '../../fleet/profile-record.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import {
  CaptureRefusedError,
  MAX_CAPTURE_SECONDS,
  PROFILE_TYPES,
  type ProfileInfo,
  type ProfileType,
} from '../../profiling/profile-info.js';
import { formatValue } from '../../validation/options-error.js';
import { PerformanceMonitorService } from '../performance-monitor.service.js';
import { Answer } from './answer.js';
import { Documented, listed } from './api-documentation.js';
import { RouteKind } from './endpoint.guard.js';
import { EndpointAccess } from './endpoint-access.js';
import type { EndpointRequest } from './endpoint-request.js';
import { type AnyResponse, rawOf } from './framework-response.js';
import { nativeFile, type OpenedProfile, pprofFile } from './profile-file.js';
import { oneOf, queryOf, refuse, wholeNumber } from './query-parameters.js';

/** The status of nginx for a client that disconnected before the response. */
const CLIENT_CLOSED_REQUEST = 499;

/** The controller of the profiles. @param path the path of the endpoint, already validated */
export function createProfilesController(path: string): Type {
  @Controller(path)
  class ProfilesController implements BeforeApplicationShutdown {
    private capturing = 0;

    constructor(
      @Inject(PerformanceMonitorService) private readonly service: PerformanceMonitorService,
      @Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor,
      @Inject(EndpointAccess) private readonly access: EndpointAccess,
    ) {}

    @Get('profiles')
    @Documented('Stored profiles, the newest first', {
      limit: listed(1000),
      type: { type: 'string', enum: PROFILE_TYPES },
    })
    async list(request: EndpointRequest): Promise<Answer> {
      const query = queryOf(request);
      const limit = wholeNumber(query, 'limit');
      const type = oneOf(query, 'type', PROFILE_TYPES);
      const profiles = await this.service.getProfiles();
      return Answer.json(
        profiles
          .filter((profile) => type === undefined || profile.type === type)
          .slice(0, limit)
          .map(withoutPath),
      );
    }

    @Get('profiles/:id/info')
    @Documented('The metadata of a profile')
    async info({ params }: EndpointRequest): Promise<Answer> {
      const id = params?.['id'] ?? '';
      const own = await this.service.getProfile(id);
      if (own !== undefined) return Answer.json(withoutPath(own));
      const { info, bytes, instance } = (await this.monitor.fleet.profile(id)) ?? gone(id);
      return Answer.json({ ...info, bytes, instance });
    }

    @Get('profiles/:id')
    @Documented('Downloads a profile, also of a slow operation of another instance', {
      format: { type: 'string', enum: ['native', 'pprof'] },
    })
    async download(request: EndpointRequest): Promise<Answer> {
      const id = request.params?.['id'] ?? '';
      const format = oneOf(queryOf(request), 'format', ['native', 'pprof']) ?? 'native';
      const profile =
        (await this.monitor.profiling.store.open(id)) ?? fromStore(id, await this.monitor.fleet.profile(id));
      try {
        if (profile.info.type === 'heap_snapshot') await this.access.requireTokenForSnapshot(request);
      } catch (error) {
        profile.content.destroy();
        throw error;
      }
      return format === 'pprof' ? pprofFile(profile) : nativeFile(profile);
    }

    /** Captures a profile and responds at its end. A disconnect of the client aborts the capture. */
    @Post('profiles')
    @RouteKind('action')
    @Documented('Captures a profile, and responds at its end', {
      type: { type: 'string', enum: PROFILE_TYPES },
      seconds: { type: 'integer', minimum: 1, maximum: MAX_CAPTURE_SECONDS },
    })
    async capture(request: EndpointRequest, response: AnyResponse): Promise<Answer> {
      const query = queryOf(request);
      const type = oneOf(query, 'type', PROFILE_TYPES) ?? 'cpu';
      const seconds = wholeNumber(query, 'seconds', MAX_CAPTURE_SECONDS);
      if (type === 'heap_snapshot' && seconds !== undefined)
        refuse('seconds', query['seconds'], 'no value with type=heap_snapshot');
      if (type === 'heap_snapshot') await this.access.requireTokenForSnapshot(request);
      this.capturing++;
      try {
        const profile = await whileConnected(rawOf(response), (signal) =>
          this.begin(type, { seconds, signal }),
        );
        return Answer.json(withoutPath(profile), HttpStatus.CREATED);
      } catch (error) {
        throw error instanceof CaptureRefusedError
          ? new ConflictException(withoutFolders(error.message))
          : error;
      } finally {
        this.capturing--;
      }
    }

    /** Finishes running captures early, as the server waits for their responses. */
    beforeApplicationShutdown(): void {
      if (this.capturing > 0) this.monitor.profiling.onDemand.finishNow();
    }

    private begin(
      type: ProfileType,
      options: { seconds: number | undefined; signal: AbortSignal },
    ): Promise<ProfileInfo> {
      if (type === 'cpu') return this.service.captureCpuProfile(options);
      if (type === 'allocations') return this.service.captureAllocationProfile(options);
      return this.service.captureHeapSnapshot(options);
    }
  }
  return ProfilesController;
}

/** The description of a profile without the place of its file on the server. */
function withoutPath({ path: _path, ...profile }: ProfileInfo): Omit<ProfileInfo, 'path'> {
  return profile;
}

/** Runs `work` with a signal that is aborted if the client disconnects before the response. */
async function whileConnected<T>(
  response: ServerResponse,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  // An HttpException is not logged as an error.
  const closed = (): void =>
    abort.abort(new HttpException('Capture aborted: the client disconnected', CLIENT_CLOSED_REQUEST));
  response.once('close', closed);
  // The client may have disconnected during authorization.
  if (response.destroyed) closed();
  try {
    return await work(abort.signal);
  } finally {
    response.off('close', closed);
  }
}

/** A profile of another instance. */
function fromStore(id: string, record: ProfileRecord | undefined): OpenedProfile {
  const { info, bytes, instance, content } = record ?? gone(id);
  if (content === undefined)
    throw new NotFoundException(
      `The profile ${formatValue(id)} is too large for the store of instances: it has ${bytes} bytes. Instance ${instance} has it`,
    );
  return { info: { ...info, bytes: Buffer.byteLength(content) }, content: Readable.from([content]) };
}

function gone(id: string): never {
  throw new NotFoundException(
    `No profile ${formatValue(id)}: it may have been deleted to make room for newer ones`,
  );
}
