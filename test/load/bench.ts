import type { Stage } from './stage.js';
import type { ProcessReport } from './report/process-usage.js';

/** A whole number that may be given on the command line as `--name value`. */
interface NumberOption {
  default: number;
  min: number;
  max: number;
  doc: string;
}

/** One of a few words. */
interface ChoiceOption {
  default: string;
  choices: readonly string[];
  doc: string;
}

export type BenchOption = NumberOption | ChoiceOption;

type ValueOf<Option> = Option extends ChoiceOption ? Option['choices'][number] : number;
type BenchValues<Options> = { [Name in keyof Options]: ValueOf<Options[Name]> };

/** What a bench found out. Keys are as they stand in the JSON: rates per second, times in milliseconds. */
export interface BenchFindings {
  results: Record<string, unknown> & { lost: number; duplicated: number };
  /** What the same machine did at the same time without the product: the most that could be hoped for. */
  bound: Record<string, unknown>;
  /** Result by bound. */
  ratio: number;
  processes: ProcessReport[];
  /** Broken promises, in plain words. They make the command fail; figures never do. */
  faults: string[];
}

export interface Bench<Options extends Record<string, BenchOption> = Record<string, BenchOption>> {
  name: string;
  summary: string;
  options: Options;
  run(stage: Stage, values: BenchValues<Options>): Promise<BenchFindings>;
}

/** Keeps the names of a bench's options for its `run`. */
export function defineBench<const Options extends Record<string, BenchOption>>(bench: Bench<Options>): Bench {
  return bench;
}
