import { SETTINGS, type Setting, type SettingGroup } from './settings/settings.js';

const HEAD = `# Configuration

<!-- Written by \`node libs/config/dist/write-reference.js\` from libs/config/src/settings. Do not edit. -->

Every setting is an environment variable. The API and the worker read those they need when they start, report everything
that is wrong at once, by name and never with values, and then exit. Empty counts as absent.

Secrets (marked so) never appear in logs or errors.
`;

/** The reference page of all settings, in Markdown. */
export function configurationReference(): string {
  const groups = new Map<SettingGroup, string[]>();
  for (const [name, definition] of Object.entries(SETTINGS) as [string, Setting][]) {
    const lines = groups.get(definition.group) ?? [];
    lines.push(
      `| \`${name}\` | ${defaultOf(definition)} | ${definition.secret ? '**Secret.** ' : ''}${definition.doc} |`,
    );
    groups.set(definition.group, lines);
  }
  const sections = [...groups].map(
    ([group, lines]) =>
      `## ${group}\n\n| setting | default | meaning |\n| --- | --- | --- |\n${lines.join('\n')}\n`,
  );
  return [HEAD, ...sections].join('\n');
}

function defaultOf(definition: Setting): string {
  if (definition.default === undefined) return definition.optional ? 'none' : '**required**';
  return definition.default === '' ? 'empty' : `\`${definition.default}\``;
}
