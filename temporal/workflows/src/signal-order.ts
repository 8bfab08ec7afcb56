import { setDefaultSignalHandler, setHandler, type SignalDefinition } from '@temporalio/workflow';

/** What a run does at one signal. Made by {@link at}. */
export interface SignalHandler {
  name: string;
  set(): void;
  take(args: unknown[]): void;
}

export function at<Args extends unknown[]>(
  signal: SignalDefinition<Args>,
  take: (...args: Args) => void,
): SignalHandler {
  return {
    name: signal.name,
    set: () => setHandler(signal, take),
    take: (args) => take(...(args as Args)),
  };
}

/**
 * Has a run take every signal in the order in which it was sent. Signals that come before the first task wait in the SDK, which gives
 * each handler those of its own name at the moment it is set: a success told before a failure would be heard after it, and wipe it
 * out. A handler for all of them takes those that wait as they came.
 */
export function takeSignalsInOrder(handlers: SignalHandler[]): void {
  const byName = new Map(handlers.map((handler) => [handler.name, handler]));
  setDefaultSignalHandler((name, ...args) => byName.get(name)?.take(args));
  for (const handler of handlers) handler.set();
}
