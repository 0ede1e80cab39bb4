/** The part of the library that is used; it ships no types. */
declare module 'd3-flame-graph' {
  import type { Selection } from 'd3-selection';
  import type { Frame } from './cpu-profile.js';

  interface Node {
    readonly data: Frame;
    readonly value: number;
    readonly highlight?: boolean;
  }

  interface FlameGraph {
    (selection: Selection<HTMLDivElement, Frame, null, undefined>): void;
    width(pixels: number): this;
    cellHeight(pixels: number): this;
    inverted(inverted: boolean): this;
    sort(compare: (a: Node, b: Node) => number): this;
    minFrameSize(pixels: number): this;
    transitionDuration(ms: number): this;
    getName(name: (node: Node) => string): this;
    setLabelHandler(label: (node: Node) => string): this;
    setColorMapper(color: (node: Node) => string): this;
    setSearchMatch(match: (node: Node, term: string) => boolean): this;
    setSearchHandler(handler: () => void): this;
    setDetailsHandler(handler: (text: string | null) => void): this;
    search(term: string): void;
    clear(): void;
    resetZoom(): void;
    update(): void;
    destroy(): void;
  }

  // biome-ignore lint/style/noDefaultExport: the library's own
  export default function flamegraph(): FlameGraph;
}
