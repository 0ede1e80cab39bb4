import { formatValue } from '../validation/options-error.js';

/** A validated node of a call tree, whose profile may come from an untrusted file. */
export interface CheckedNode {
  readonly name: string;
  readonly url: string;
  /** Position of the definition, 1-based; 0 if unknown, as for native code. */
  readonly line: number;
  readonly column: number;
  /** Index of its parent in the list, -1 for a root. */
  parent: number;
  /** The other fields of the node, not validated. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** @throws TypeError that names the field, what was received, and what is expected */
export function reject(path: string, value: unknown, allowed: string): never {
  throw new TypeError(`Invalid ${path}: received ${formatValue(value)}, expected ${allowed}`);
}

/** @throws TypeError for anything but an object */
export function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return reject(path, value, 'an object');
}

/** @throws TypeError for anything but an array */
export function arrayAt(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : reject(path, value, 'an array');
}

/** A number; 0 if absent. @throws TypeError for anything else */
export function numberAt(value: unknown, path: string): number {
  if (value === undefined) return 0;
  return Number.isFinite(value) ? (value as number) : reject(path, value, 'a number');
}

/** The nodes of a profile, with an index by id. */
export class CheckedNodes {
  readonly list: CheckedNode[] = [];
  private readonly places = new Map<unknown, number>();

  /** @returns the node's index. @throws TypeError for a node without a unique id or without a call frame */
  add(value: unknown, path: string, parent = -1): number {
    const raw = objectAt(value, path);
    const { id } = raw;
    if (!Number.isInteger(id)) reject(`${path}.id`, id, 'a whole number');
    if (this.places.has(id)) reject(`${path}.id`, id, 'an id that no other node has');
    const frame = objectAt(raw['callFrame'], `${path}.callFrame`);
    const { functionName: name, url = '' } = frame;
    if (typeof name !== 'string') reject(`${path}.callFrame.functionName`, name, 'a string');
    if (typeof url !== 'string') reject(`${path}.callFrame.url`, url, 'a string');
    const place = this.list.length;
    this.list.push({
      name,
      url,
      line: position(frame['lineNumber']),
      column: position(frame['columnNumber']),
      parent,
      raw,
    });
    this.places.set(id, place);
    return place;
  }

  placeOf(id: unknown): number | undefined {
    return this.places.get(id);
  }

  /**
   * Sets the parents from the ids in `children`, or else from `parent`. Unknown ids are skipped, so detached nodes
   * become roots.
   * @throws TypeError for a node that is its own ancestor
   */
  link(path: string): void {
    for (const [place, { raw }] of this.list.entries()) {
      const children = raw['children'];
      for (const id of Array.isArray(children) ? children : []) {
        const child = this.list[this.places.get(id) ?? -1];
        if (child !== undefined && child.parent < 0) child.parent = place;
      }
    }
    for (const node of this.list)
      if (node.parent < 0) node.parent = this.places.get(node.raw['parent']) ?? -1;
    this.forbidCycles(path);
  }

  private forbidCycles(path: string): void {
    const UNSEEN = -1;
    const seenFrom = new Int32Array(this.list.length).fill(UNSEEN);
    for (let start = 0; start < this.list.length; start++) {
      let place = start;
      while (place >= 0 && seenFrom[place] === UNSEEN) {
        seenFrom[place] = start;
        place = this.list[place]?.parent ?? -1;
      }
      if (place >= 0 && seenFrom[place] === start) {
        throw new TypeError(`Invalid ${path}[${place}]: the node is its own ancestor, expected a tree`);
      }
    }
  }
}

/** V8's positions are 0-based, and -1 for code without a position in a file. */
function position(value: unknown): number {
  return Number.isInteger(value) && (value as number) >= 0 ? (value as number) + 1 : 0;
}
