import type { StatementPlan } from '../plans/statement-plan.js';
import { code, prose } from './markdown.js';

/** The plan of a statement, and the index that it lacks. */
export function planLines(plan: StatementPlan | undefined): string[] {
  if (plan === undefined) return [];
  const { explanation, suggestedIndex } = plan;
  return [
    `Plan: ${prose(explanation)}`,
    ...(suggestedIndex === undefined ? [] : [`Missing index: ${code(suggestedIndex.statement)}`]),
  ];
}
