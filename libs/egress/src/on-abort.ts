type Act = (reason: Error) => void;

/**
 * Who wants to be told of a signal. Node looks at all listeners of an event for each that comes or goes, and the signal that stops a worker
 * has one for each request under way.
 */
const waiting = new WeakMap<AbortSignal, Set<Act>>();

/**
 * Calls `act` once the signal aborts, at once if it has.
 * @returns takes that back
 */
export function onAbort(signal: AbortSignal | undefined, act: Act): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) {
    act(reasonOf(signal));
    return () => undefined;
  }
  const acts = waiting.get(signal) ?? listen(signal);
  acts.add(act);
  return () => acts.delete(act);
}

function listen(signal: AbortSignal): Set<Act> {
  const acts = new Set<Act>();
  waiting.set(signal, acts);
  signal.addEventListener(
    'abort',
    () => {
      for (const act of acts) act(reasonOf(signal));
    },
    { once: true },
  );
  return acts;
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
