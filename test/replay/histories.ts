import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import proto, { type temporal } from '@temporalio/proto';

export type History = temporal.api.history.v1.History;
const { History } = proto.temporal.api.history.v1;

const DIRECTORY = new URL('../../replay/histories/', import.meta.url);

export function historyFile(name: string): string {
  return fileURLToPath(new URL(`${name}.json`, DIRECTORY));
}

export function historyNames(): string[] {
  return readdirSync(DIRECTORY).map((file) => file.replace(/\.json$/, ''));
}

export function readHistory(name: string): History {
  return History.fromObject(JSON.parse(readFileSync(historyFile(name), 'utf8')) as Record<string, unknown>);
}

/**
 * Not with the SDK's `historyToJSON`: that one works only where npm has put a single copy of protobufjs below all of
 * Temporal's packages.
 */
export function historyToText(history: temporal.api.history.v1.IHistory): string {
  const plain = History.toObject(History.fromObject(history), {
    enums: String,
    longs: String,
    bytes: String,
  });
  return JSON.stringify(plain, null, 2);
}
