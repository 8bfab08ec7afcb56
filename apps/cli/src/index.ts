export { runCli, type CliContext } from './program.js';
export { examine, type ExamineOptions } from './doctor/examine.js';
export type { Finding } from './doctor/finding.js';
