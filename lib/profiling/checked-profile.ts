import { formatValue } from '../validation/options-error.js';

/** One node of a tree of calls, as far as it could be told: a profile may come from a file of anybody's. */
export interface CheckedNode {
  readonly name: string;
  readonly url: string;
  /** Of the definition, from 1; 0 where it is not known, as for native code. */
  readonly line: number;
  readonly column: number;
  /** Place of its parent in the list, -1 for a root. */
  parent: number;
  /** What else the node says, not checked. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** @throws TypeError that names the field, its value, and what is allowed */
export function reject(path: string, value: unknown, allowed: string): never {
  throw new TypeError(`${path} is ${formatValue(value)}, which is not allowed: give ${allowed}`);
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

/** A number, 0 where there is none. @throws TypeError for anything else */
export function numberAt(value: unknown, path: string): number {
  if (value === undefined) return 0;
  return Number.isFinite(value) ? (value as number) : reject(path, value, 'a number');
}

/** The nodes of a profile, and where in the list each id is found. */
export class CheckedNodes {
  readonly list: CheckedNode[] = [];
  private readonly places = new Map<unknown, number>();

  /** @returns the node's place. @throws TypeError for a node without an id of its own or without a call frame */
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
   * Takes parents from the ids that nodes have of their `children`, or else of their `parent`. Ids of nodes that are
   * not there are passed over: what is cut off so stands at the root.
   * @throws TypeError for a node that is above itself
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
        throw new TypeError(
          `${path}[${place}] is above itself, which is not allowed: give nodes that make a tree`,
        );
      }
    }
  }
}

/** V8 counts from 0, and has -1 for what has no place in a file. */
function position(value: unknown): number {
  return Number.isInteger(value) && (value as number) >= 0 ? (value as number) + 1 : 0;
}
