import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { openEmbeddedBackend } from '../../../src/app/embedded-backend.ts'
import { send } from '../../../src/commands/send/send.ts'
import { temporaryFolder } from '../cli.ts'
import { fileOf, signalAt } from './run-load.ts'

const DAY_MS = 86_400_000

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('a clock that jumps while signals are sent gives no record a time of the future', async () => {
  const directory = join(await temporaryFolder(), 'data')
  vi.stubEnv('UPSWELL_DATA_DIR', directory)
  vi.stubEnv('UPSWELL_PARTITIONS', '1')
  vi.stubEnv('UPSWELL_LOG_LEVEL', 'silent')
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const file = await fileOf([signalAt(0, 'acme'), signalAt(1, 'acme')])
  const right = Date.now()
  // The first reading begins the trusted clock.
  vi.spyOn(Date, 'now')
    .mockReturnValueOnce(right)
    .mockReturnValue(right + 500 * DAY_MS)
  expect(await send(file, { clock: 'wall', afterwards: 'stay', batchSize: 10 })).toBe(0)
  vi.restoreAllMocks()
  const backend = await openEmbeddedBackend({ directory, partitions: 1 })
  const times: number[] = []
  for await (const { timestamp } of backend.log.readAll('signals')) times.push(timestamp)
  await backend.close()
  expect(times).toHaveLength(2)
  for (const time of times) expect(Math.abs(time - right)).toBeLessThan(DAY_MS)
})
