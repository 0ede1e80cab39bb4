import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { Answer } from './answer.js';
import type { Arguments, ValuesOf } from './arguments.js';
import type { PageLinks } from './page-links.js';

/** What a request is answered from. */
export interface ToolContext {
  readonly monitor: PerformanceMonitor;
  readonly links: PageLinks;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A tool that a model can call. It only reads. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  /** For the model: what it answers, and when to call it. */
  readonly description: string;
  readonly arguments: Arguments;
  /** @throws ToolFault for what the model can correct */
  answer(values: Readonly<Record<string, unknown>>, context: ToolContext): Answer | Promise<Answer>;
}

/** Why a tool has no answer, in a sentence for the model, with what to do instead. */
export class ToolFault extends Error {}

/** Gives the function of a tool the types of its arguments. */
export function tool<const A extends Arguments>(definition: {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: A;
  answer(values: ValuesOf<A>, context: ToolContext): Answer | Promise<Answer>;
}): Tool {
  return definition as unknown as Tool;
}
