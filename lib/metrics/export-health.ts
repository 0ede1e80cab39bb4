/** What an exporter says of one attempt; 0 is success. */
export interface ExportOutcome {
  readonly code: number;
  readonly error?: Error;
}

/** Says once when something can no longer be exported and once when it can again, not at every attempt. */
export class ExportHealth {
  private failing = false;

  /**
   * @param what `Spans`
   * @param meanwhile a sentence on what becomes of them
   */
  constructor(
    private readonly what: string,
    private readonly meanwhile: string,
    private readonly endpoint: string,
    private readonly log: { warn(message: string): void; log(message: string): void },
  ) {}

  note({ code, error }: ExportOutcome): void {
    const failed = code !== 0;
    if (failed === this.failing) return;
    this.failing = failed;
    if (failed) {
      const reason = error?.message ?? 'no reason given';
      this.log.warn(
        `${this.what} cannot be exported to ${this.endpoint} (${reason}). ${this.meanwhile} This is said once, until it works again.`,
      );
    } else {
      this.log.log(`${this.what} are exported to ${this.endpoint} again.`);
    }
  }
}
