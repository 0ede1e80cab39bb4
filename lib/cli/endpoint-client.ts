import type { IncomingMessage } from 'node:http';
import { PROFILE_TYPES, type ProfileInfo, type ProfileType } from '../../profiling/profile-info.js';
import { isProfileId } from '../../profiling/profile-names.js';
import { formatValue } from '../../validation/options-error.js';
import { accepted, askEndpoint, chunksOf, objectIn, PATIENCE_SECONDS, textOf } from '../endpoint-request.js';
import { EndpointFault } from './endpoint-fault.js';

/** What is asked of a profile as it comes from elsewhere. */
export type CapturedProfile = Pick<ProfileInfo, 'id' | 'type' | 'durationMs' | 'samples'>;

/** Of the description of a profile. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Of a report: one of a hundred entries in each list has some hundred kilobytes. */
export const MAX_REPORT_BYTES = 16 * 1024 * 1024;
/** What a heap snapshot may take: some 5 to 15 seconds for each 100 MB. */
const SNAPSHOT_SECONDS = 300;

/** The endpoint of an application. */
export class EndpointClient {
  /** @param base its address, without a slash at the end */
  constructor(
    readonly base: string,
    private readonly token: string | undefined,
  ) {}

  /**
   * Has a profile captured and waits for it. The application aborts it when this process ends.
   * @param seconds how long; nothing for a heap snapshot, which takes what it takes
   * @throws {@link EndpointFault} that says why there is none
   */
  async capture(type: ProfileType, seconds: number | undefined): Promise<CapturedProfile> {
    const during = seconds === undefined ? '' : `&seconds=${seconds}`;
    const path = `profiles?type=${type}${during}`;
    const answer = await this.ask('POST', path, (seconds ?? SNAPSHOT_SECONDS) + PATIENCE_SECONDS);
    if (answer.statusCode === 404) {
      answer.destroy();
      throw new EndpointFault(
        'there is no endpoint with profiles at that address (404): give the one of endpointPath, such as http://localhost:3000/performance',
      );
    }
    const profile = profileIn((await textOf(await this.accepted(answer, 201), MAX_ANSWER_BYTES)) ?? '');
    if (profile === undefined)
      throw new EndpointFault('the answer is not the description of a profile: is this its endpoint?');
    return profile;
  }

  /** A profile's file, asked for when it begins to be read. @throws {@link EndpointFault} */
  async *download(id: string, format: string): AsyncGenerator<Buffer> {
    const answer = await this.ask('GET', `profiles/${id}?format=${format}`, PATIENCE_SECONDS);
    yield* chunksOf(await this.accepted(answer, 200));
  }

  /**
   * A report, as the application writes it.
   * @param query `since=24h&limit=10`
   * @throws {@link EndpointFault} that says why there is none
   */
  async report(format: string, query: string): Promise<string> {
    const path = `report.${format}${query === '' ? '' : `?${query}`}`;
    const answer = await this.ask('GET', path, PATIENCE_SECONDS);
    if (answer.statusCode === 404) {
      answer.destroy();
      throw new EndpointFault(
        'there is no endpoint with a report at that address (404): give the one of endpointPath, such as http://localhost:3000/performance',
      );
    }
    const text = await textOf(await this.accepted(answer, 200), MAX_REPORT_BYTES);
    if (text === undefined) throw new EndpointFault(`the report has more than ${MAX_REPORT_BYTES} bytes`);
    return text;
  }

  private ask(method: string, path: string, patience: number): Promise<IncomingMessage> {
    return askEndpoint(method, new URL(`${this.base}/${path}`), this.token, patience);
  }

  private accepted(answer: IncomingMessage, status: number): Promise<IncomingMessage> {
    return accepted(answer, status, this.token !== undefined);
  }
}

function profileIn(text: string): CapturedProfile | undefined {
  const { id, type, durationMs, samples } = objectIn(text);
  const known = PROFILE_TYPES.find((one) => one === type);
  // It becomes a file's name.
  if (!isProfileId(id) || known === undefined || typeof durationMs !== 'number') return undefined;
  return { id, type: known, durationMs, ...(typeof samples === 'number' && { samples }) };
}

/** An endpoint's address without a slash at its end. @returns what is wrong with it, where it is none */
export function endpointAddress(given: string): { base: string } | { fault: string } {
  const allowed = 'give the address of the endpoint, such as http://localhost:3000/performance';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    return { fault: `URL is ${formatValue(given)}, which is not allowed: ${allowed}` };
  if (url.username !== '' || url.password !== '')
    return { fault: `URL holds a name or a password, which is not allowed: ${allowed}` };
  if (url.search !== '' || url.hash !== '')
    return { fault: `URL is ${formatValue(given)}, with a query or a fragment: ${allowed}` };
  return { base: url.href.replace(/\/+$/, '') };
}
