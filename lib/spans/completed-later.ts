/** The spans of which more will be known soon after their end. */
const completions = new WeakMap<object, Promise<void>>();
let pending = 0;

/** Notes that the attributes of a span are completed after its end. An error of it is ignored: the span stays as it is. */
export function completeLater(span: object, completion: Promise<void>): void {
  pending++;
  const settled = (): void => {
    pending--;
    completions.delete(span);
  };
  completions.set(span, completion.then(settled, settled));
}

/** Fulfilled when the attributes of a span that has ended are complete; undefined if they are. */
export function completionOf(span: object): Promise<void> | undefined {
  return pending === 0 ? undefined : completions.get(span);
}
