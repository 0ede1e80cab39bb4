import type { ServerResponse } from 'node:http';
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
  UseGuards,
} from '@nestjs/common';
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
import { EndpointGuard } from './endpoint.guard.js';
import type { EndpointRequest } from './endpoint-access.js';
import { type AnyResponse, rawOf } from './framework-response.js';
import { nativeFile, pprofFile } from './profile-file.js';
import { oneOf, queryOf, refuse, wholeNumber } from './query-parameters.js';

/** As nginx has it: whoever asked has gone, and sees no answer. */
const CLIENT_CLOSED_REQUEST = 499;

/** The controller of the profiles below this path, which is that of the endpoint, and checked there. */
export function createProfilesController(path: string): Type {
  @Controller(path)
  @UseGuards(EndpointGuard)
  class ProfilesController implements BeforeApplicationShutdown {
    private capturing = 0;

    constructor(
      @Inject(PerformanceMonitorService) private readonly service: PerformanceMonitorService,
      @Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor,
    ) {}

    @Get('profiles')
    @Documented('The profiles that are kept, the newest first', {
      limit: listed(1000),
      type: { type: 'string', enum: PROFILE_TYPES },
    })
    async list(request: EndpointRequest): Promise<Answer> {
      const query = queryOf(request);
      const limit = wholeNumber(query, 'limit');
      const type = oneOf(query, 'type', PROFILE_TYPES);
      const profiles = await this.service.getProfiles();
      return Answer.json(
        profiles.filter((profile) => type === undefined || profile.type === type).slice(0, limit),
      );
    }

    @Get('profiles/:id/info')
    @Documented('What a profile is of, and its file')
    async info({ params }: EndpointRequest): Promise<Answer> {
      const id = params?.['id'] ?? '';
      return Answer.json((await this.service.getProfile(id)) ?? gone(id));
    }

    @Get('profiles/:id')
    @Documented('A profile as a download', {
      format: { type: 'string', enum: ['native', 'pprof'] },
    })
    async download(request: EndpointRequest): Promise<Answer> {
      const id = request.params?.['id'] ?? '';
      const format = oneOf(queryOf(request), 'format', ['native', 'pprof']) ?? 'native';
      const profile = (await this.monitor.profiling.store.open(id)) ?? gone(id);
      return format === 'pprof' ? pprofFile(profile) : nativeFile(profile);
    }

    /** Captures now, and answers when that is done. The capture is lost when the client does not wait for it. */
    @Post('profiles')
    @Documented('Captures a profile now, and answers when that is done', {
      type: { type: 'string', enum: PROFILE_TYPES },
      seconds: { type: 'integer', minimum: 1, maximum: MAX_CAPTURE_SECONDS },
    })
    async capture(request: EndpointRequest, response: AnyResponse): Promise<Answer> {
      const query = queryOf(request);
      const type = oneOf(query, 'type', PROFILE_TYPES) ?? 'cpu';
      const seconds = wholeNumber(query, 'seconds', MAX_CAPTURE_SECONDS);
      if (type === 'heap_snapshot' && seconds !== undefined)
        refuse('seconds', query['seconds'], 'leave it out with type=heap_snapshot, which is of one moment');
      this.capturing++;
      try {
        const profile = await whileConnected(rawOf(response), (signal) =>
          this.begin(type, { seconds, signal }),
        );
        return Answer.json(profile, HttpStatus.CREATED);
      } catch (error) {
        throw error instanceof CaptureRefusedError ? new ConflictException(error.message) : error;
      } finally {
        this.capturing--;
      }
    }

    /** The server waits for its answers, so those that wait for the end of a capture get what there is by now. */
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

/** Gives `work` a signal that is aborted when the client goes away before it has its answer. */
async function whileConnected<T>(
  response: ServerResponse,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  // Not logged: nothing went wrong.
  const closed = (): void =>
    abort.abort(
      new HttpException('The client did not wait for the end of the capture', CLIENT_CLOSED_REQUEST),
    );
  response.once('close', closed);
  // It may have gone while it was being authorized.
  if (response.destroyed) closed();
  try {
    return await work(abort.signal);
  } finally {
    response.off('close', closed);
  }
}

function gone(id: string): never {
  throw new NotFoundException(`There is no profile ${formatValue(id)}: it may have made room for newer ones`);
}
