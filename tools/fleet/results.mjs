// What was asserted, line by line, and how much of it held.

/** Counts checks. A check that throws has failed; the others go on. */
export class Results {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** @param write receives lines */
  constructor(write = (line) => process.stdout.write(`${line}\n`)) {
    this.write = write;
  }

  heading(text) {
    this.write(`\n${text}`);
  }

  /**
   * @param {string} name a sentence
   * @param {() => unknown} assertion throws or rejects where it does not hold; a string that it returns is a detail
   */
  async check(name, assertion) {
    try {
      const detail = await assertion();
      this.passed++;
      this.write(`  ok      ${name}${typeof detail === 'string' ? ` (${detail})` : ''}`);
    } catch (error) {
      this.failed++;
      const message = error instanceof Error ? error.message : String(error);
      this.write(`  FAILED  ${name}\n          ${message.replaceAll('\n', '\n          ')}`);
    }
  }

  skip(name, reason) {
    this.skipped++;
    this.write(`  skipped ${name}: ${reason}`);
  }

  summary() {
    return `Fleet: ${this.passed} assertions hold, ${this.failed} do not, ${this.skipped} parts skipped`;
  }
}

/** @throws Error with `message`, unless `condition` holds */
export function assert(condition, message) {
  if (!condition) throw new Error(typeof message === 'function' ? message() : message);
}

/** Polls until `ask` returns something truthy. @throws Error that says what did not happen, and the last error of `ask` */
export async function eventually(what, ask, { timeoutMs = 30_000, everyMs = 250 } = {}) {
  let last = '';
  for (const end = Date.now() + timeoutMs; ; ) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = `: ${error.message}`;
    }
    if (Date.now() > end) throw new Error(`Within ${timeoutMs / 1000} s not ${what}${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
