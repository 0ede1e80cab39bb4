import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { show } from '../../options/options-error.js';
import { PROFILE_TYPES, type ProfileInfo, type ProfileType } from '../../profiling/profile-info.js';
import { isProfileId } from '../../profiling/profile-names.js';
import { connectionFault, EndpointFault, refusedFault } from './endpoint-fault.js';

/** What is asked of a profile as it comes from elsewhere. */
export type CapturedProfile = Pick<ProfileInfo, 'id' | 'type' | 'durationMs' | 'samples'>;

/** Of an answer that is read whole; errors of proxies may be pages. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** What a heap snapshot may take: some 5 to 15 seconds for each 100 MB. */
const SNAPSHOT_SECONDS = 300;
/** How long an endpoint may say nothing, beyond the capture itself. */
const PATIENCE_SECONDS = 60;

/**
 * The endpoint of an application. Not by `fetch`, which gives up on an answer after 300 seconds. Follows no redirect: the
 * token is not for others.
 */
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
    const profile = profileIn(await this.textOf(await this.accepted(answer, 201)));
    if (profile === undefined)
      throw new EndpointFault('the answer is not the description of a profile: is this its endpoint?');
    return profile;
  }

  /** A profile's file, asked for when it begins to be read. @throws {@link EndpointFault} */
  async *download(id: string, format: string): AsyncGenerator<Buffer> {
    const answer = await this.ask('GET', `profiles/${id}?format=${format}`, PATIENCE_SECONDS);
    yield* chunksOf(await this.accepted(answer, 200));
  }

  private ask(method: string, path: string, patience: number): Promise<IncomingMessage> {
    const url = new URL(`${this.base}/${path}`);
    const { request } = url.protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      const headers = {
        'content-length': 0,
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
      };
      // A connection of its own, which ends with the answer.
      const asked = request(url, { method, headers, agent: false, timeout: patience * 1000 }, resolve);
      asked.on('timeout', () =>
        asked.destroy(new EndpointFault(`the application said nothing for ${patience} s`)),
      );
      asked.on('error', (error) => reject(connectionFault(error)));
      asked.end();
    });
  }

  private async accepted(answer: IncomingMessage, status: number): Promise<IncomingMessage> {
    const { statusCode = 0 } = answer;
    if (statusCode === status) return answer;
    const text = await this.textOf(answer).catch(() => '');
    throw refusedFault(statusCode, messageIn(text), this.token !== undefined);
  }

  private async textOf(answer: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of chunksOf(answer)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) break;
    }
    return Buffer.concat(chunks).toString();
  }
}

async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch (error) {
    throw connectionFault(error);
  }
}

function profileIn(text: string): CapturedProfile | undefined {
  const { id, type, durationMs, samples } = objectIn(text);
  const known = PROFILE_TYPES.find((one) => one === type);
  // It becomes a file's name.
  if (!isProfileId(id) || known === undefined || typeof durationMs !== 'number') return undefined;
  return { id, type: known, durationMs, ...(typeof samples === 'number' && { samples }) };
}

/** What Nest says in the body of an error. */
function messageIn(text: string): string | undefined {
  const { message } = objectIn(text);
  return typeof message === 'string' && message !== '' ? message : undefined;
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** An endpoint's address without a slash at its end. @returns what is wrong with it, where it is none */
export function endpointAddress(given: string): { base: string } | { fault: string } {
  const allowed = 'give the address of the endpoint, such as http://localhost:3000/performance';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    return { fault: `URL is ${show(given)}, which is not allowed: ${allowed}` };
  if (url.username !== '' || url.password !== '')
    return { fault: `URL holds a name or a password, which is not allowed: ${allowed}` };
  if (url.search !== '' || url.hash !== '')
    return { fault: `URL is ${show(given)}, with a query or a fragment: ${allowed}` };
  return { base: url.href.replace(/\/+$/, '') };
}
