import { pbkdf2Sync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Post } from '@nestjs/common';
import { Pool } from 'pg';
import { ask } from '../store/upstream';
import { BlockingJob } from './blocking.job';
import { InvoiceSchedule } from './invoice.schedule';
import { Rendezvous } from './rendezvous';

/** Created once: the case is about its serialization. */
const ROWS = Array.from({ length: 800_000 }, (_, n) => ({ id: n, title: `Book ${n}`, tags: ['paper'] }));

/** Light requests, which wait while another one blocks the event loop. */
@Controller('event-loop')
export class EventLoopController {
  constructor(
    private readonly pool: Pool,
    private readonly job: BlockingJob,
    private readonly rendezvous: Rendezvous,
    private readonly schedule: InvoiceSchedule,
  ) {}

  @Get('timer')
  async timer(): Promise<string> {
    this.rendezvous.arrive();
    await sleep(20);
    return 'light';
  }

  @Get('query')
  async query(): Promise<unknown> {
    this.rendezvous.arrive();
    const { rows } = await this.pool.query('SELECT pg_sleep(0.02)');
    return rows.length;
  }

  @Get('fetch')
  async fetch(): Promise<unknown> {
    this.rendezvous.arrive();
    return ask('/rates?delay=20');
  }

  @Get('job')
  async underJob(): Promise<unknown> {
    this.job.makeDue();
    const { rows } = await this.pool.query('SELECT pg_sleep(0.02)');
    return rows.length;
  }

  @Get('schedule')
  async underSchedule(): Promise<unknown> {
    this.schedule.makeDue();
    const { rows } = await this.pool.query('SELECT pg_sleep(0.05)');
    return rows.length;
  }

  @Get('export')
  async underExport(): Promise<unknown> {
    this.rendezvous.arrive();
    return ask('/rates?delay=30');
  }

  /** Blocks the event loop by its JSON when a light request has started. */
  @Post('export')
  async export(): Promise<number> {
    await this.rendezvous.meet();
    await sleep(8);
    return JSON.stringify(ROWS).length;
  }

  /** Blocks the event loop when a light request has started. */
  @Post('report')
  async report(): Promise<string> {
    await this.rendezvous.meet();
    await sleep(8);
    return pbkdf2Sync('report', 'store', 1_200_000, 32, 'sha256').toString('hex');
  }
}
