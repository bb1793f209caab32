import { expect, onTestFinished, test, vi } from 'vitest'
import { LagWatch } from '../../../src/app/meters/lag-watch.ts'
import type { ReadPosition } from '../../../src/log/log-meter.ts'

const HOUR_MS = 3_600_000
const START = Date.parse('2026-12-01T00:00:00Z')

function watched(start: Partial<ReadPosition> = {}) {
  const position = {
    ...{
      group: 'upswell-score',
      topic: 'signals',
      partition: 0,
      next: 100,
      newestAt: undefined,
      beganEven: false,
    },
    ...start,
  } as { -readonly [K in keyof ReadPosition]: ReadPosition[K] }
  const world = { end: 100, now: START, isAway: false, position, said: [] as string[], isAssigned: true }
  const at = (level: string) => (text: string) => void world.said.push(`${level} ${text}`)
  const watch = new LagWatch({
    log: {
      ranges: async () => {
        if (world.isAway) throw new Error('Kafka is away')
        return new Map([[0, { first: 0, end: world.end }]])
      },
    },
    positions: () => (world.isAssigned ? [position] : []),
    now: () => world.now,
    logger: { info: at('info'), warn: at('warn'), error: at('error') },
  })
  const lag = () => watch.lags().map(({ records, seconds }) => [records, seconds])
  return { world, position, watch, lag }
}

test('knows no lag before it knows the end of the log', async () => {
  const { watch, lag } = watched()
  expect(lag()).toEqual([])
  await watch.look()
  expect(lag()).toEqual([[0, 0]])
})

test('counts records up to the end of the log, though the scorer has not fetched them', async () => {
  const { world, watch, lag, position } = watched()
  world.end = 2_000_100
  await watch.look()
  expect(lag()).toEqual([[2_000_000, 0]])
  position.next = 1_000_100
  expect(lag()).toEqual([[1_000_000, 0]])
})

test('is as many seconds behind as the newest processed record is old', async () => {
  const { world, watch, lag, position } = watched({ newestAt: START - 90_000 })
  world.end = 200
  await watch.look()
  expect(lag()).toEqual([[100, 90]])
  position.newestAt = START - 30_000
  expect(lag()).toEqual([[100, 30]])
})

test.each([
  ['a record after a quiet day', START - 24 * HOUR_MS],
  ['loaded history', START - 9_000 * HOUR_MS],
])('is no longer behind than since it was last seen without a lag: %s', async (_, newestAt) => {
  const { world, watch, lag } = watched({ newestAt })
  await watch.look()
  world.end = 200
  world.now += 5_000
  await watch.look()
  expect(lag()).toEqual([[100, 5]])
})

test('counts from the assignment if nothing was processed yet', async () => {
  const { world, watch, lag } = watched()
  world.end = 200
  await watch.look()
  world.now += 60_000
  await watch.look()
  expect(lag()).toEqual([[100, 60]])
})

test('keeps the last known end while the log is away, and the seconds grow', async () => {
  const { world, watch, lag } = watched({ newestAt: START })
  world.end = 200
  await watch.look()
  world.isAway = true
  world.now += 120_000
  await watch.look()
  expect(lag()).toEqual([[100, 120]])
})

test('forgets a partition that this process has no longer', async () => {
  const { world, watch, lag } = watched({ newestAt: START })
  await watch.look()
  world.isAssigned = false
  await watch.look()
  expect(lag()).toEqual([])
  world.isAssigned = true
  world.now += 24 * HOUR_MS
  world.end = 200
  await watch.look()
  // Not the time since it was seen without a lag by the earlier owner's end.
  expect(lag()).toEqual([[100, 86_400]])
})

test('counts from the assignment if nothing was left then, whatever times the records have', async () => {
  const { world, watch, lag } = watched({ newestAt: START - 9_000 * HOUR_MS, beganEven: true })
  world.end = 200
  await watch.look()
  world.now += 5_000
  expect(lag()).toEqual([[100, 5]])
})

test('writes one line when it has been behind for a minute, and one when it has caught up', async () => {
  const nowMs = vi.spyOn(performance, 'now').mockReturnValue(0)
  onTestFinished(() => nowMs.mockRestore())
  const { world, position, watch } = watched({ newestAt: START - 9_000 * HOUR_MS })
  world.end = 200
  const look = async (seconds: number): Promise<void> => {
    nowMs.mockReturnValue(seconds * 1000)
    world.now = START + seconds * 1000
    await watch.look()
  }
  for (let seconds = 0; seconds < 60; seconds += 5) await look(seconds)
  expect(world.said).toEqual([])
  position.newestAt = START
  for (let seconds = 60; seconds < 480; seconds += 5) await look(seconds)
  position.next = 200
  for (let seconds = 480; seconds < 500; seconds += 5) await look(seconds)
  expect(world.said).toEqual([
    'warn upswell-score in signals: 100 records behind in 1 of 1 partitions; partition 0 is 60 s behind',
    'warn upswell-score in signals: 100 records behind in 1 of 1 partitions; partition 0 is 360 s behind',
    'info upswell-score in signals: caught up, after 480 s',
  ])
})

test('writes nothing about a short lag', async () => {
  const nowMs = vi.spyOn(performance, 'now').mockReturnValue(0)
  onTestFinished(() => nowMs.mockRestore())
  const { world, position, watch } = watched({ newestAt: START - 9_000 * HOUR_MS })
  world.end = 200
  await watch.look()
  position.next = 200
  nowMs.mockReturnValue(70_000)
  await watch.look()
  expect(world.said).toEqual([])
})
