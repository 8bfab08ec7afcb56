// Real: the committed contract and the code it is generated from. No servers.
import { readFile } from 'node:fs/promises';
import { openApiJson } from '@hookstream/api';
import { Validator } from '@seriousme/openapi-schema-validator';
import { ContractChecker, OPENAPI_FILE, type OpenApiDocument } from './contract-checker.js';

describe('openapi.json', () => {
  let text: string;
  let document: OpenApiDocument;
  beforeAll(async () => {
    text = await readFile(OPENAPI_FILE, 'utf8');
    document = JSON.parse(text) as OpenApiDocument;
  });

  it('is what the code says', async () => {
    expect(await openApiJson()).toBe(text);
  });

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(text) as Record<string, unknown>)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('names every operation once', () => {
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map((o) => o.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
  });

  it('has components for every reference', () => {
    const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
    for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  it('gives examples that their own schemas accept', async () => {
    const checker = await ContractChecker.load();
    const wrong = examplesOf(document).flatMap(({ pointer, example }) => {
      const problem = checker.problems(pointer, example);
      return problem === undefined ? [] : [`${pointer.join('/')}: ${problem}`];
    });
    expect(wrong).toEqual([]);
    expect(examplesOf(document).length).toBeGreaterThan(40);
  });
});

/** Every example in the document with the place of the schema that carries it. */
function examplesOf(value: unknown, pointer: string[] = []): { pointer: string[]; example: unknown }[] {
  if (value === null || typeof value !== 'object') return [];
  const own =
    Array.isArray(value) || pointer.at(-1) === 'properties'
      ? []
      : [
          ...('examples' in value && Array.isArray(value.examples) ? value.examples : []),
          ...('example' in value ? [value.example] : []),
        ].map((example: unknown) => ({ pointer, example }));
  const inner = Object.entries(value)
    .filter(([key]) => pointer.at(-1) === 'properties' || (key !== 'examples' && key !== 'example'))
    .flatMap(([key, child]) => examplesOf(child, [...pointer, key]));
  return [...own, ...inner];
}
