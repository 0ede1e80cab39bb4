import type { IncomingMessage } from 'node:http';
import { SESSION_COOKIE } from '../nest/endpoint/session.js';
import { PROFILE_TYPES, type ProfileInfo, type ProfileType } from '../profiling/profile-info.js';
import { isProfileId } from '../profiling/profile-names.js';
import { formatValue, invalid } from '../validation/options-error.js';
import {
  accepted,
  askEndpoint,
  chunksOf,
  EndpointFault,
  objectIn,
  TIMEOUT_SECONDS,
  textOf,
} from './endpoint-request.js';

/** The validated metadata of a captured profile. */
export type CapturedProfile = Pick<ProfileInfo, 'id' | 'type' | 'durationMs' | 'samples'>;

/** The limit for the metadata of a profile. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** The limit for a report. With a hundred entries per list it has some hundred kilobytes. */
export const MAX_REPORT_BYTES = 16 * 1024 * 1024;
/** The timeout of a heap snapshot, which takes 5 to 15 seconds per 100 MB. */
const SNAPSHOT_SECONDS = 300;

/** A client for the endpoint of an application. */
export class EndpointClient {
  /** @param base the address of the endpoint without a trailing slash */
  constructor(
    readonly base: string,
    private readonly token: string | undefined,
  ) {}

  /**
   * Captures a profile and waits for its end. The application aborts the capture if this process ends.
   * @param seconds the duration; undefined for a heap snapshot
   * @throws {@link EndpointFault} if there is no profile
   */
  async capture(type: ProfileType, seconds: number | undefined): Promise<CapturedProfile> {
    const during = seconds === undefined ? '' : `&seconds=${seconds}`;
    const path = `profiles?type=${type}${during}`;
    const session = this.token === undefined ? await this.session() : undefined;
    const answer = await this.ask('POST', path, (seconds ?? SNAPSHOT_SECONDS) + TIMEOUT_SECONDS, session);
    if (answer.statusCode === 404) {
      answer.destroy();
      throw new EndpointFault(
        'no profiles endpoint at this address (404): expected the address of endpointPath, such as http://localhost:3000/performance',
      );
    }
    const profile = profileIn((await textOf(await this.accepted(answer, 201), MAX_ANSWER_BYTES)) ?? '');
    if (profile === undefined)
      throw new EndpointFault(
        'the response is not the metadata of a profile: check the address of the endpoint',
      );
    return profile;
  }

  /** Downloads the file of a profile, from the first read on. @throws {@link EndpointFault} */
  async *download(id: string, format: string): AsyncGenerator<Buffer> {
    const answer = await this.ask('GET', `profiles/${id}?format=${format}`, TIMEOUT_SECONDS);
    yield* chunksOf(await this.accepted(answer, 200));
  }

  /**
   * A report in the given format.
   * @param query `since=24h&limit=10`
   * @throws {@link EndpointFault} if there is none
   */
  async report(format: string, query: string): Promise<string> {
    const path = `report.${format}${query === '' ? '' : `?${query}`}`;
    const answer = await this.ask('GET', path, TIMEOUT_SECONDS);
    if (answer.statusCode === 404) {
      answer.destroy();
      throw new EndpointFault(
        'no report endpoint at this address (404): expected the address of endpointPath, such as http://localhost:3000/performance',
      );
    }
    const text = await textOf(await this.accepted(answer, 200), MAX_REPORT_BYTES);
    if (text === undefined) throw new EndpointFault(`the report exceeds ${MAX_REPORT_BYTES} bytes`);
    return text;
  }

  /**
   * The verdict of the application's version as JSON.
   * @param since the version to compare with
   * @throws {@link EndpointFault} if there is none
   */
  async release(since: string | undefined): Promise<string> {
    const query = since === undefined ? '' : `?${new URLSearchParams({ since }).toString()}`;
    const answer = await this.ask('GET', `release.json${query}`, TIMEOUT_SECONDS);
    const text = await textOf(await this.accepted(answer, 200), MAX_REPORT_BYTES);
    if (text === undefined) throw new EndpointFault(`the verdict exceeds ${MAX_REPORT_BYTES} bytes`);
    return text;
  }

  /**
   * Begins a session, which applications grant without a token to callers on their machine. Captures require it, so that no
   * page of another origin can start them.
   * @returns its cookie; undefined if there is none, as access may be granted otherwise
   */
  private async session(): Promise<string | undefined> {
    const answer = await this.ask('POST', 'session', TIMEOUT_SECONDS);
    answer.destroy();
    const cookies = answer.headers['set-cookie']?.map((cookie) => cookie.split(';', 1)[0]);
    return cookies?.find((cookie) => cookie?.startsWith(`${SESSION_COOKIE}=`));
  }

  private ask(
    method: string,
    path: string,
    timeoutSeconds: number,
    session?: string,
  ): Promise<IncomingMessage> {
    return askEndpoint(
      method,
      new URL(`${this.base}/${path}`),
      { token: this.token, session },
      timeoutSeconds,
    );
  }

  private accepted(answer: IncomingMessage, status: number): Promise<IncomingMessage> {
    return accepted(answer, status, this.token !== undefined);
  }
}

function profileIn(text: string): CapturedProfile | undefined {
  const { id, type, durationMs, samples } = objectIn(text);
  const known = PROFILE_TYPES.find((one) => one === type);
  // Validated strictly, as the id becomes a file name.
  if (!isProfileId(id) || known === undefined || typeof durationMs !== 'number') return undefined;
  return { id, type: known, durationMs, ...(typeof samples === 'number' && { samples }) };
}

/** The address of an endpoint without a trailing slash. @returns the fault of an invalid address */
export function endpointAddress(given: string): { base: string } | { fault: string } {
  const expected = 'the address of the endpoint, such as http://localhost:3000/performance';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    return { fault: invalid('URL', formatValue(given), expected) };
  if (url.username !== '' || url.password !== '') return { fault: invalid('URL', 'credentials', expected) };
  if (url.search !== '' || url.hash !== '')
    return { fault: invalid('URL', `${formatValue(given)} with a query or fragment`, expected) };
  return { base: url.href.replace(/\/+$/, '') };
}
