import { createHash } from 'node:crypto';
import { isInstanceKey } from '../operation/instance.js';
import { DirectoryClaims } from './directory-claims.js';
import { type DatedFile, FIRING, FleetDirectory, SLOW, SUMMARY } from './fleet-directory.js';
import {
  type FleetStore,
  isRecordId,
  MAX_ANNOUNCED_BYTES,
  MAX_INSTANCES,
  MAX_RECORD_BYTES,
  type Published,
} from './fleet-store.js';
import { MAX_SUMMARY_BYTES } from './instance-summary.js';

/**
 * Publishes in a directory that processes of one user share, on one machine or a shared file system. Files are replaced
 * atomically, and not forced to the disk: they concern the next minutes only.
 */
export class DirectoryFleetStore implements FleetStore {
  readonly claims: DirectoryClaims;
  readonly profiles = undefined;
  private readonly directory: FleetDirectory;
  /** Different services may share the directory. */
  private readonly prefix: string;

  constructor(directory: string, service: string) {
    this.directory = new FleetDirectory(directory);
    this.prefix = `${createHash('sha256').update(service).digest('hex').slice(0, 12)}.`;
    this.claims = new DirectoryClaims(this.directory, this.prefix);
  }

  async publish(key: string, text: string): Promise<void> {
    await this.directory.write(`${this.prefix}${key}${SUMMARY}`, text);
    await this.directory.tidy();
  }

  withdraw(key: string): Promise<void> {
    return this.directory.remove(`${this.prefix}${key}${SUMMARY}`);
  }

  async published(): Promise<Published> {
    const files = await this.filesOf(SUMMARY);
    const summaries: { key: string; text: unknown }[] = [];
    for (const { name, key } of files.slice(0, MAX_INSTANCES)) {
      const text = await this.directory.read(name, MAX_SUMMARY_BYTES);
      if (text !== undefined) summaries.push({ key, text });
    }
    return { summaries, omitted: Math.max(0, files.length - MAX_INSTANCES) };
  }

  keep(id: string, text: string): Promise<void> {
    return this.directory.write(this.recordName(id), text);
  }

  async find(id: string): Promise<unknown> {
    if (!isRecordId(id) || !(await this.directory.exists())) return undefined;
    return this.directory.read(this.recordName(id), MAX_RECORD_BYTES);
  }

  drop(id: string): Promise<void> {
    return this.directory.remove(this.recordName(id));
  }

  announce(key: string, text: string): Promise<void> {
    return this.directory.write(this.announcedName(key), text);
  }

  withdrawAnnounced(key: string): Promise<void> {
    return this.directory.remove(this.announcedName(key));
  }

  async announcedBy(key: string, ttlMs: number): Promise<unknown> {
    if (!(await this.directory.exists())) return undefined;
    return this.directory.read(this.announcedName(key), MAX_ANNOUNCED_BYTES, ttlMs);
  }

  async announced(ttlMs: number): Promise<{ key: string; text: unknown }[]> {
    const lists: { key: string; text: unknown }[] = [];
    for (const { name, key } of (await this.filesOf(FIRING)).slice(0, MAX_INSTANCES)) {
      const text = await this.directory.read(name, MAX_ANNOUNCED_BYTES, ttlMs);
      if (text !== undefined) lists.push({ key, text });
    }
    return lists;
  }

  /** The files of a kind of the instances of this service, those written last first. */
  private async filesOf(suffix: string): Promise<(DatedFile & { key: string })[]> {
    if (!(await this.directory.exists())) return [];
    return (await this.directory.list(this.prefix, suffix))
      .map((file) => ({ ...file, key: file.name.slice(this.prefix.length, -suffix.length) }))
      .filter(({ key }) => isInstanceKey(key))
      .sort((one, other) => other.at - one.at);
  }

  private announcedName(key: string): string {
    return `${this.prefix}${key}${FIRING}`;
  }

  private recordName(id: string): string {
    return `${this.prefix}${id}${SLOW}`;
  }
}
