import type { StatementPlan } from '../../plans/statement-plan.js';
import { CopyButton } from './call-site.js';
import { number } from './format.js';
import { visible } from './text.js';

/** What the plan of a statement shows, and the index that it lacks. */
export function PlanNote({ plan: { explanation, suggestedIndex } }: { plan: StatementPlan }) {
  return (
    <>
      <p class="explanation">{visible(explanation)}</p>
      {suggestedIndex !== undefined && (
        <span class="call-site">
          <span class="mono">{visible(suggestedIndex.statement, 500)}</span>
          {suggestedIndex.rowsReadWithIndex !== undefined && (
            <span class="soft">
              reads about {number(suggestedIndex.rowsReadWithIndex)} rows instead of{' '}
              {number(suggestedIndex.rowsRead)}
            </span>
          )}
          <CopyButton text={() => `${suggestedIndex.statement};`} what="suggested index" />
        </span>
      )}
    </>
  );
}
