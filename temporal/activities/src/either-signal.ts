/**
 * A signal that aborts with either of two. Call `release` when done with it: `AbortSignal.any` would leave something behind on
 * the one that lives as long as the process, once per attempt, on the older Node versions we support.
 */
export function eitherSignal(
  short: AbortSignal,
  long: AbortSignal,
): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = (event: Event) => controller.abort((event.target as AbortSignal).reason);
  for (const source of [short, long]) {
    if (source.aborted) controller.abort(source.reason);
    else source.addEventListener('abort', abort);
  }
  const release = () => {
    for (const source of [short, long]) source.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, release };
}
