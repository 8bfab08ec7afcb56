// Tests run as the compiled ES modules that production runs: no transform, one build.
const project = (displayName, testMatch, extra = {}) => ({
  displayName,
  rootDir: import.meta.dirname,
  testMatch: testMatch.map((glob) => `<rootDir>/${glob}`),
  testEnvironment: 'node',
  transform: {},
  modulePathIgnorePatterns: ['<rootDir>/.hookstream'],
  ...extra,
});
const withServers = {
  globalSetup: '<rootDir>/libs/testing/dist/jest/global-setup.js',
  globalTeardown: '<rootDir>/libs/testing/dist/jest/global-teardown.js',
};

export default {
  // Real servers on a busy machine: a test that hangs still ends, one that is slow is not failed for it.
  testTimeout: 60_000,
  projects: [
    project('unit', [
      'libs/*/dist/**/*.spec.js',
      'temporal/*/dist/**/*.spec.js',
      'apps/*/dist/**/*.spec.js',
      'test/dist/load/**/*.spec.js',
      'test/dist/chaos/**/*.spec.js',
      'test/dist/topology/**/*.spec.js',
      'test/dist/upgrade/**/*.spec.js',
    ]),
    project(
      'integration',
      ['test/dist/integration/**/*.spec.js', 'test/dist/contract/**/*.spec.js'],
      withServers,
    ),
    project('workflow', ['test/dist/workflow/**/*.spec.js'], withServers),
    project('replay', ['test/dist/replay/**/*.spec.js']),
    project('e2e', ['test/dist/e2e/**/*.spec.js']),
  ],
};
