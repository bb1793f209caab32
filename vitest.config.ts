import { defineConfig } from 'vitest/config'
import { useRunFolder } from './test/support/run-folder.ts'

useRunFolder()

const setupFiles = ['test/support/empty-working-folder.ts']
/** A file that gets the results as JSON. */
const report = process.env['TEST_REPORT']

// biome-ignore lint/style/noDefaultExport: vitest reads the default export of its config
export default defineConfig({
  test: {
    ...(report === undefined ? {} : { reporters: ['default', ['json', { outputFile: report }]] }),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          setupFiles,
          // It ends what hangs; on a busy machine five seconds would end what is only slow.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/servers/global-setup.ts'],
          setupFiles,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          // Projects with another number of workers may not share a group.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
