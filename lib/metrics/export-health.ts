import { originOf, withoutCredentials } from '../text/address.js';

/** The result of one export; `code` 0 is success. */
export interface ExportOutcome {
  readonly code: number;
  readonly error?: Error;
}

/** Logs once when exports begin to fail, and once when they succeed again. */
export class ExportHealth {
  private failing = false;
  private readonly endpoint: string;

  /**
   * @param what what is exported, such as `Spans`
   * @param meanwhile a sentence on what happens to the data meanwhile
   */
  constructor(
    private readonly what: string,
    private readonly meanwhile: string,
    endpoint: string,
    private readonly log: { warn(message: string): void; log(message: string): void },
  ) {
    this.endpoint = originOf(endpoint);
  }

  note({ code, error }: ExportOutcome): void {
    const failed = code !== 0;
    if (failed === this.failing) return;
    this.failing = failed;
    if (failed) {
      const reason = withoutCredentials(error?.message ?? 'no reason given');
      this.log.warn(
        `${this.what} cannot be exported to ${this.endpoint} (${reason}). ${this.meanwhile} This warning is not repeated until an export succeeds.`,
      );
    } else {
      this.log.log(`${this.what} are exported to ${this.endpoint} again.`);
    }
  }
}
