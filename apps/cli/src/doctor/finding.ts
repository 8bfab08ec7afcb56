/** `skipped`: what it needs is broken already. */
export type FindingState = 'ok' | 'warning' | 'failed' | 'skipped';

/** What one look at the installation came to. */
export interface Finding {
  check: string;
  state: FindingState;
  /** What was seen, without any secret. */
  detail: string;
  /** What to do about it. */
  mend?: string;
}

export const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail });
export const failed = (check: string, detail: string, mend: string): Finding => ({
  ...{ check, state: 'failed', detail, mend },
});
export const warning = (check: string, detail: string, mend: string): Finding => ({
  ...{ check, state: 'warning', detail, mend },
});
export const skipped = (check: string, because: string): Finding => ({
  ...{ check, state: 'skipped', detail: because },
});

/** Runs a check; one that cannot be made is a finding, too. */
export async function looked(check: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failed(
      check,
      `cannot be examined: ${reason}`,
      'Mend what is named above first, then run doctor again.',
    );
  }
}

/** `3 things: a, b, …`: as many as a person reads. */
export function someOf(names: readonly string[], shown = 5): string {
  return (
    names.slice(0, shown).join(', ') + (names.length > shown ? `, and ${names.length - shown} more` : '')
  );
}
