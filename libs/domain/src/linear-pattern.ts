import { parsePattern, type PatternNode } from './pattern-syntax.js';

/**
 * Regular expressions of callers, run in time linear in the text. JavaScript's own engine tries alternatives one after the other,
 * so that a pattern such as `^(a+)+$` stops a process for minutes on thirty letters; here all alternatives go on together
 * (Thompson's simulation: https://swtch.com/~rsc/regexp/regexp1.html). What cannot be run so (look-around, back-references)
 * is refused. Everything else means what it means with the `u` flag, as JSON Schema asks.
 */
export interface LinearPattern {
  /** Steps per character of a text, at most. */
  readonly size: number;
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
}

/** Of the pattern when its counted repetitions are written out. */
export const MAX_PATTERN_SIZE = 1_000;

type Instruction =
  | { op: 'char'; code: number }
  | { op: 'set'; accepts: (code: number) => boolean }
  | { op: 'assert'; which: '^' | '$' | 'b' | 'B' }
  | { op: 'split'; to: number; or: number }
  | { op: 'jump'; to: number }
  | { op: 'match' };

/** @throws SyntaxError that says what is wrong with the pattern or that it cannot be used here */
export function linearPattern(source: string): LinearPattern {
  const tree = parsePattern(source);
  const size = sizeOf(tree) + 1;
  if (size > MAX_PATTERN_SIZE) {
    throw new SyntaxError('The pattern is too large with its repetitions written out');
  }
  const program: Instruction[] = [];
  emit(tree, program);
  program.push({ op: 'match' });
  return { size, test: (text) => run(program, text) };
}

/** Instructions that a part becomes. Counted before any is made: `((a{1000}){1000}){1000}` is short. */
function sizeOf(node: PatternNode): number {
  switch (node.kind) {
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + sizeOf(part), 0);
    case 'choice':
      return node.parts.reduce((sum, part) => sum + sizeOf(part) + 2, 0);
    case 'repeat': {
      // a repetition of nothing counts too, so that a billion of them are not written out
      const inner = Math.max(1, sizeOf(node.part));
      const optional = node.max === Infinity ? inner + 2 : (inner + 1) * (node.max - node.min);
      return inner * node.min + optional;
    }
    default:
      return 1;
  }
}

function emit(node: PatternNode, program: Instruction[]): void {
  switch (node.kind) {
    case 'char':
      program.push({ op: 'char', code: node.code });
      return;
    case 'set':
      program.push({ op: 'set', accepts: setMatcher(node.source) });
      return;
    case 'assert':
      program.push({ op: 'assert', which: node.which });
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, program);
      return;
    case 'choice':
      return emitChoice(node.parts, program);
    case 'repeat':
      return emitRepeat(node, program);
  }
}

function emitChoice(parts: readonly PatternNode[], program: Instruction[]): void {
  const jumps: { to: number }[] = [];
  parts.forEach((part, index) => {
    const split = { op: 'split' as const, to: program.length + 1, or: 0 };
    const isLast = index === parts.length - 1;
    if (!isLast) program.push(split);
    emit(part, program);
    if (isLast) return;
    const jump = { op: 'jump' as const, to: 0 };
    program.push(jump);
    jumps.push(jump);
    split.or = program.length;
  });
  for (const jump of jumps) jump.to = program.length;
}

function emitRepeat({ part, min, max }: PatternNode & { kind: 'repeat' }, program: Instruction[]): void {
  for (let count = 0; count < min; count++) emit(part, program);
  if (max === Infinity) {
    const split = { op: 'split' as const, to: program.length + 1, or: 0 };
    const start = program.push(split) - 1;
    emit(part, program);
    program.push({ op: 'jump', to: start });
    split.or = program.length;
    return;
  }
  const splits: { or: number }[] = [];
  for (let count = min; count < max; count++) {
    const split = { op: 'split' as const, to: program.length + 1, or: 0 };
    program.push(split);
    splits.push(split);
    emit(part, program);
  }
  for (const split of splits) split.or = program.length;
}

const ASCII = 128;
const UNKNOWN = 0;
const IN = 1;
const OUT = 2;

/** One character against a class such as `[a-z]`, `\d` or `.`: harmless, so JavaScript's own engine decides. */
function setMatcher(source: string): (code: number) => boolean {
  const expression = new RegExp(`^${source}$`, 'u');
  const ascii = new Uint8Array(ASCII);
  return (code) => {
    if (code >= ASCII) return expression.test(String.fromCodePoint(code));
    if (ascii[code] === UNKNOWN) ascii[code] = expression.test(String.fromCharCode(code)) ? IN : OUT;
    return ascii[code] === IN;
  };
}

/** The places in the program where a match may stand, before one character. */
class Places {
  readonly list: number[] = [];
  private readonly seen: Uint8Array;

  constructor(size: number) {
    this.seen = new Uint8Array(size);
  }

  clear(): void {
    for (const place of this.list) this.seen[place] = 0;
    this.list.length = 0;
  }

  /** @returns false when it is there already. */
  add(place: number): boolean {
    if (this.seen[place] === 1) return false;
    this.seen[place] = 1;
    this.list.push(place);
    return true;
  }
}

function run(program: readonly Instruction[], text: string): boolean {
  let here = new Places(program.length);
  let next = new Places(program.length);
  let before: number | undefined;
  for (let at = 0; ;) {
    const code = text.codePointAt(at);
    if (enter(program, here, 0, before, code)) return true;
    if (code === undefined) return false;
    at += code > 0xffff ? 2 : 1;
    const after = text.codePointAt(at);
    for (const place of here.list) {
      const step = program[place] as Instruction;
      const takes = step.op === 'char' ? step.code === code : step.op === 'set' && step.accepts(code);
      if (takes && enter(program, next, place + 1, code, after)) return true;
    }
    here.clear();
    [here, next] = [next, here];
    before = code;
  }
}

/** Goes from a place to all that can be reached without a character. @returns whether the end is among them. */
function enter(
  program: readonly Instruction[],
  places: Places,
  from: number,
  before: number | undefined,
  after: number | undefined,
): boolean {
  const open = [from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (!places.add(place)) continue;
    const step = program[place] as Instruction;
    if (step.op === 'match') return true;
    if (step.op === 'jump') open.push(step.to);
    else if (step.op === 'split') open.push(step.to, step.or);
    else if (step.op === 'assert' && holds(step.which, before, after)) open.push(place + 1);
  }
  return false;
}

function holds(which: '^' | '$' | 'b' | 'B', before: number | undefined, after: number | undefined): boolean {
  if (which === '^') return before === undefined;
  if (which === '$') return after === undefined;
  return (isWord(before) !== isWord(after)) === (which === 'b');
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && code < ASCII && /\w/.test(String.fromCharCode(code));
}
