import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the results as JSON, besides what is printed. */
const resultsFile = process.env['TEST_RESULTS_FILE'];

/** Tests with real programs, in real time. */
const REAL_TIME = ['test/e2e/**/*.test.ts', 'test/bench/**/*.test.ts'];

/** Those that mostly wait, and measure no sound that another one beside them could spoil. */
const WAITING = [
  ...['api', 'browser', 'call-registered-users', 'conference-event', 'console', 'console-conference'],
  ...['console-recordings', 'diagnosis', 'floor', 'kamailio', 'life', 'lossy-signalling', 'moderator-keys'],
  ...[
    'messages',
    'recordings',
    'register',
    'registering-phones',
    'room-tokens',
    'rooms',
    'signalling',
    'silent-callers',
  ],
  ...['sipp-scenarios', 'slides-floor', 'srtp', 'tls', 'video-console', 'video-key-frames', 'video-rtp-programs'],
].map((name) => `test/e2e/${name}.test.ts`);

/** Whose figures nobody looks at there: only that there are some. */
const SMOKE = ['test/bench/bench-smoke.test.ts'];

/** Those that measure sound and pictures by the tenth of a second, and leave most of a core to others. */
const SOUND = [
  ...['clients-hear-each-other', 'dial-out', 'disks', 'kill', 'mixer-crash', 'phones', 'three-phones'],
  ...['video-clients', 'video-in-step', 'video-network', 'video-phones', 'video-recording', 'video-tiers'],
].map((name) => `test/e2e/${name}.test.ts`);

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
          hookTimeout: 30_000,
          // What is waited for may take the disk's time.
          expect: { poll: { timeout: 15_000 } },
          // Otherwise one core is left idle, which on two is half of them.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'calls',
          include: [...WAITING, ...SMOKE],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 5,
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'sound',
          include: SOUND,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          retry: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: REAL_TIME,
          exclude: [...WAITING, ...SMOKE, ...SOUND],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // One file at a time, as each needs a whole core or measures milliseconds; and again when a busy machine has spoilt it.
          fileParallelism: false,
          retry: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
