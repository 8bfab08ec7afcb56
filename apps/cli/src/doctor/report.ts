import type { Finding, FindingState } from './finding.js';

const WORD: Record<FindingState, string> = {
  ok: 'ok     ',
  warning: 'WARNING',
  failed: 'FAILED ',
  skipped: 'skipped',
};

/** The findings for a person, worst news last, where a terminal ends. */
export function reportLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, state, detail, mend }) => [
    `${WORD[state]}  ${check.padEnd(width)}  ${detail}`,
    ...(mend === undefined ? [] : [`${' '.repeat(WORD.ok.length + width + 4)}→ ${mend}`]),
  ]);
  const count = (state: FindingState) => findings.filter((finding) => finding.state === state).length;
  const bad = count('failed');
  const summary =
    bad === 0
      ? 'nothing is broken'
      : `${bad} of ${findings.length} checks failed${count('skipped') > 0 ? `, ${count('skipped')} could not be made` : ''}`;
  const warnings = count('warning');
  return [...lines, '', `${summary}${warnings > 0 ? `; ${warnings} to look at` : ''}`];
}
