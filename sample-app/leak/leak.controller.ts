import { Controller, Get, HttpCode, Post } from '@nestjs/common';

/** Limits the leak, so that the sample does not exhaust the machine's memory. */
const MAX_KEPT = 2000;

/** A memory leak that can be switched on: each visit retains 100 kB. */
@Controller('leak')
export class LeakController {
  private readonly kept: unknown[] = [];
  private leaking = false;

  @Post('on')
  @HttpCode(204)
  on(): void {
    this.leaking = true;
  }

  @Post('off')
  @HttpCode(204)
  off(): void {
    this.leaking = false;
    this.kept.length = 0;
  }

  @Get('visit')
  visit(): { leaking: boolean; kept: number } {
    if (this.leaking && this.kept.length < MAX_KEPT) {
      this.kept.push(Array.from({ length: 6000 }, (_, n) => ({ n, visit: this.kept.length })));
    }
    return { leaking: this.leaking, kept: this.kept.length };
  }
}
