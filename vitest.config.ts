import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the results as JSON, besides what is printed. */
const resultsFile = process.env['TEST_RESULTS_FILE'];

/** Tests with real programs, in real time. */
const REAL_TIME = ['test/e2e/**/*.test.ts', 'test/bench/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    reporters: resultsFile === undefined ? ['default'] : ['default', ['json', { outputFile: resultsFile }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: REAL_TIME,
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: REAL_TIME,
          testTimeout: 60_000,
          hookTimeout: 30_000,
          // One file at a time, as each measures sound; and again when a busy machine has spoilt it.
          fileParallelism: false,
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
