import { beforeEach, describe, expect, test } from 'vitest'
import { TrustedClock } from '../../src/lib/trusted-clock.ts'

const START = Date.UTC(2026, 0, 5)
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const JUMP_MS = 500 * DAY_MS

/** True time, and how far each clock is off it, ms. */
let time: number
let off: { wall: number; reference: number | undefined; isAway: boolean }
let lines: string[]

beforeEach(() => {
  time = START
  off = { wall: 0, reference: 0, isAway: false }
  lines = []
})

function createClock(): TrustedClock {
  const log = (level: string) => (line: string) => {
    lines.push(`${level} ${line}`)
  }
  return new TrustedClock(
    {
      wall: () => time + off.wall,
      monotonic: () => time - START + 7,
      reference: async () => {
        if (off.isAway) throw new Error('away')
        return off.reference === undefined ? undefined : time + off.reference
      },
    },
    { info: log('info'), warn: log('warn'), error: log('error') },
  )
}

/** Looks at the clock each second, as a service does. */
async function pass(clock: TrustedClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    time += 1000
    await clock.check()
  }
}

describe.each([JUMP_MS, -JUMP_MS, 61_000, -61_000])('a jump of %i ms', jumpMs => {
  test.each(['a reference', 'no reference', 'a reference that is away'])(
    'is waited out with %s',
    async which => {
      if (which === 'no reference') off.reference = undefined
      const clock = createClock()
      await pass(clock, 5)
      off.isAway = which === 'a reference that is away'
      off.wall = jumpMs
      await pass(clock, 4)
      expect(clock.now()).toBe(time)
      expect(clock.aheadMs()).toBe(jumpMs)
      expect(clock.problem()).toContain(
        `${Math.abs(jumpMs) / 1000} s ${jumpMs > 0 ? 'ahead of' : 'behind'} the time seen before`,
      )
      off.wall = 0
      await pass(clock, 1)
      expect([clock.now(), clock.isInDoubt(), clock.aheadMs(), clock.problem()]).toEqual([
        time,
        false,
        0,
        undefined,
      ])
      expect(lines.map(line => line.split(' ')[0])).toEqual(['error', 'info'])
    },
  )
})

test('small corrections are taken at once', async () => {
  const clock = createClock()
  off.wall = 59_000
  expect(clock.now()).toBe(START + 59_000)
  off.wall = -59_000
  expect(clock.now()).toBe(START - 59_000)
  expect(lines).toEqual([])
})

test('many small jumps in a row are one large one', async () => {
  off.reference = undefined
  const clock = createClock()
  for (let i = 0; i < 10; i++) {
    off.wall += 30_000
    time += 1000
    clock.now()
  }
  expect(clock.isInDoubt()).toBe(true)
  expect(clock.now()).toBe(time)
})

test('a slow drift is followed', async () => {
  off.reference = undefined
  const clock = createClock()
  for (let hour = 0; hour < 100; hour++) {
    off.wall += 2_000
    time += 60 * MINUTE_MS
    expect(clock.now()).toBe(time + off.wall)
  }
})

test('a correction with which the reference agrees is taken', async () => {
  const clock = createClock()
  off = { wall: JUMP_MS, reference: JUMP_MS, isAway: false }
  expect(clock.now()).toBe(time)
  await pass(clock, 1)
  expect(clock.now()).toBe(time + JUMP_MS)
  expect(clock.isInDoubt()).toBe(false)
})

test('without a reference a jump that stays for five minutes is accepted, one that moves is not', async () => {
  off.reference = undefined
  const clock = createClock()
  off.wall = JUMP_MS
  await pass(clock, 200)
  off.wall = 2 * JUMP_MS
  await pass(clock, 299)
  expect(clock.now()).toBe(time)
  await pass(clock, 3)
  expect(clock.now()).toBe(time + 2 * JUMP_MS)
})

test('with a reference that is away no jump is accepted', async () => {
  const clock = createClock()
  off = { wall: JUMP_MS, reference: 0, isAway: true }
  await pass(clock, 600)
  expect(clock.now()).toBe(time)
})

test('a reference that jumps is reported once, and not followed', async () => {
  const clock = createClock()
  await pass(clock, 1)
  off.reference = JUMP_MS
  await pass(clock, 60)
  expect([clock.now(), clock.problem()]).toEqual([time, undefined])
  expect(lines).toEqual([
    expect.stringMatching(/^warn the store's clock is 43200000 s ahead of this machine's/),
  ])
})

describe('at the start, when nothing was seen before', () => {
  test.each([
    ['this machine is ahead', { wall: JUMP_MS, reference: 0 }],
    ['the store is ahead', { wall: 0, reference: JUMP_MS }],
  ])('the earlier time is used: %s', async (_, apart) => {
    off = { ...apart, isAway: false }
    const clock = createClock()
    await clock.check()
    expect(clock.now()).toBe(time)
    expect(lines).toHaveLength(1)
  })

  test('also if the store answers later', async () => {
    off = { wall: JUMP_MS, reference: 0, isAway: true }
    const clock = createClock()
    await clock.check()
    off.isAway = false
    await clock.check()
    expect(clock.now()).toBe(time)
    expect(clock.problem()).toBeDefined()
  })
})

test('reports once that a record is from the future', () => {
  const clock = createClock()
  clock.sawRecord(time - JUMP_MS)
  clock.sawRecord(time + 10 * MINUTE_MS)
  expect(lines).toEqual([])
  clock.sawRecord(time + JUMP_MS)
  clock.sawRecord(time + JUMP_MS)
  expect(lines).toEqual([expect.stringContaining('2027-05-20T00:00:00.000Z, 43200000 s ahead of now')])
})
