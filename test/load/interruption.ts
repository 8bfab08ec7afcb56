/** Takes the signals that ask a command to end, until `done`, so that it can stop what it started. */
export function watchSignals(): { happened: Promise<'interrupted'>; done: () => void } {
  let interrupt: () => void = () => undefined;
  const happened = new Promise<'interrupted'>((resolve) => (interrupt = () => resolve('interrupted')));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  return {
    happened,
    done: () => {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
