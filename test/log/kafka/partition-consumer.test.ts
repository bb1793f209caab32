import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UpswellError } from '../../../src/lib/errors.ts'
import { HeldOutages } from '../../../src/lib/outages.ts'
import type { RecordSource } from '../../../src/log/kafka/fetch-ahead.ts'
import { PartitionConsumer } from '../../../src/log/kafka/partition-consumer.ts'
import type { LogRecord, PartitionHandler, PartitionSession, RecordList } from '../../../src/log/log.ts'
import { silent, until } from '../../support/log-handlers.ts'

describe('the owner of a partition', () => {
  it('fences, reads the offset, calls `assigned`, and only then fetches', async () => {
    const setup = owner({ committed: 7 })
    await until(() => setup.owner.isWorking())
    expect(setup.steps).toEqual(['fence', 'read offset', 'assigned at 7', 'fetch from 7'])
  })

  it('waits for the previous owner', async () => {
    let letGo = (): void => {}
    const predecessor = new Promise<void>(resolve => {
      letGo = resolve
    })
    const setup = owner({ predecessor })
    await sleep(20)
    expect(setup.steps).toEqual([])
    letGo()
    await until(() => setup.owner.isWorking())
  })

  it('hands over at most `batchSize` records, one call after the other', async () => {
    let callsUnderWay = 0
    const most: number[] = []
    const setup = owner({
      batchSize: 2,
      process: async () => {
        most.push(++callsUnderWay)
        await sleep(1)
        callsUnderWay--
      },
    })
    await until(() => setup.owner.isWorking())
    setup.arrive(0, 1, 3)
    setup.arrive(6)
    await until(() => setup.handed.length === 2)
    expect(setup.handed).toEqual([
      [0, 1],
      [3, 6],
    ])
    expect(most).toEqual([1, 1])
  })

  it('releases and opens a new session when a commit was refused, even if the handler hides it', async () => {
    const setup = owner({
      write: async () => {
        throw new UpswellError('LOG_FENCED', 'an old epoch')
      },
      process: async session => {
        await session.commit([], 1).catch(() => {})
      },
    })
    await until(() => setup.owner.isWorking())
    setup.arrive(0)
    await until(() => setup.steps.filter(step => step.startsWith('fetch')).length === 2)
    const [, , , , ...steps] = setup.steps
    expect(steps).toEqual(['closed', 'released', 'fence', 'read offset', 'assigned at 0', 'fetch from 0'])
    expect(setup.owner.problem()).toContain('an old epoch')
  })

  it('opens a new session when the handler throws, or the session is lost between two calls', async () => {
    let session: PartitionSession | undefined
    const setup = owner({
      committed: 4,
      process: async given => {
        session = given
        if (setup.handed.length === 1) throw new Error('cannot')
      },
    })
    await until(() => setup.owner.isWorking())
    setup.arrive(4)
    await until(() => setup.steps.filter(step => step === 'fetch from 4').length === 2)
    expect(setup.owner.problem()).toContain('cannot')
    setup.arrive(4)
    await until(() => setup.handed.length === 2)
    session?.lose(new Error('later'))
    expect(setup.owner.isWorking()).toBe(true)
    await until(() => !setup.owner.isWorking())
    await until(() => setup.steps.filter(step => step === 'fetch from 4').length === 3)
    expect(setup.steps.filter(step => step === 'released')).toHaveLength(2)
  })

  it('opens a new session when the next records cannot be fetched any more', async () => {
    const setup = owner({ committed: 4 })
    await until(() => setup.owner.isWorking())
    setup.fail(new UpswellError('LOG_UNAVAILABLE', 'deleted'))
    await until(() => setup.steps.filter(step => step === 'fetch from 4').length === 2)
    expect(setup.owner.problem()).toContain('deleted')
  })

  it('shows why it cannot fetch, and keeps its session', async () => {
    const setup = owner({})
    await until(() => setup.owner.isWorking())
    setup.stall('no leader')
    expect(setup.owner.problem()).toBe('no leader')
    expect(setup.owner.isWorking()).toBe(true)
    setup.stall(undefined)
    expect(setup.owner.problem()).toBeUndefined()
  })

  it('hands over nothing after `hold`, and keeps the session of the current call', async () => {
    let finish = (): void => {}
    const finished = new Promise<void>(resolve => {
      finish = resolve
    })
    const setup = owner({
      batchSize: 1,
      process: async session => {
        await finished
        await session.commit([], 1)
      },
    })
    await until(() => setup.owner.isWorking())
    setup.arrive(0, 1)
    await until(() => setup.handed.length === 1)
    setup.owner.hold()
    finish()
    await until(() => setup.written.length === 1)
    await sleep(20)
    expect(setup.handed).toEqual([[0]])
    expect(setup.steps).not.toContain('released')
    setup.owner.end('at-once')
    await setup.owner.ended
    expect(setup.steps.filter(step => step === 'released')).toHaveLength(1)
  })

  it('does not begin to fetch after `hold`', async () => {
    const setup = owner({})
    setup.owner.hold()
    await until(() => setup.steps.includes('assigned at 0'))
    await sleep(10)
    expect(setup.steps).not.toContain('fetch from 0')
  })

  it('lets the current call commit when it ends after that call, and makes no other', async () => {
    let finish = (): void => {}
    const finished = new Promise<void>(resolve => {
      finish = resolve
    })
    const setup = owner({
      batchSize: 1,
      process: async session => {
        await finished
        await session.commit([], 1)
      },
    })
    await until(() => setup.owner.isWorking())
    setup.arrive(0, 1)
    await until(() => setup.handed.length === 1)
    setup.owner.end('after-call')
    finish()
    await setup.owner.ended
    expect(setup.written).toEqual([1])
    expect(setup.handed).toEqual([[0]])
    expect(setup.steps.filter(step => step === 'released')).toHaveLength(1)
  })

  it('refuses the commit of the current call when it ends at once', async () => {
    let refusal: unknown
    const setup = owner({
      process: async session => {
        setup.owner.end('at-once')
        refusal = await session.commit([], 1).catch((error: unknown) => error)
      },
    })
    await until(() => setup.owner.isWorking())
    setup.arrive(0)
    await setup.owner.ended
    expect(refusal).toMatchObject({ code: 'LOG_FENCED' })
    expect(setup.written).toEqual([])
  })
})

describe('the position of an owner', () => {
  it('is the offset after the last processed record, and the time of that record', async () => {
    let finish = (): void => {}
    const setup = owner({
      committed: 7,
      process: () =>
        new Promise<void>(resolve => {
          finish = resolve
        }),
    })
    await until(() => setup.owner.isWorking())
    expect(setup.owner.position()).toMatchObject({ next: 7, newestAt: undefined })
    setup.arrive(7, 8)
    await until(() => setup.handed.length === 1)
    expect(setup.owner.position()).toMatchObject({ next: 7, newestAt: undefined })
    finish()
    await until(() => setup.owner.position()?.next === 9)
    expect(setup.owner.position()?.newestAt).toBe(0)
  })

  it('is where the source waits for the next record, past offsets without one', async () => {
    const setup = owner({})
    await until(() => setup.owner.isWorking())
    setup.arrive(0)
    await until(() => setup.owner.position()?.next === 1)
    setup.waitAt(3)
    expect(setup.owner.position()?.next).toBe(3)
  })

  it('stays known while no session can begin', async () => {
    let isAway = false
    const setup = owner({
      process: async () => {
        if (isAway) throw new UpswellError('STORE_UNAVAILABLE', 'it is away')
      },
    })
    await until(() => setup.owner.isWorking())
    setup.arrive(0, 1)
    await until(() => setup.owner.position()?.next === 2)
    isAway = true
    setup.arrive(2)
    await until(() => !setup.owner.isWorking())
    expect(setup.owner.position()).toMatchObject({ next: 2, newestAt: 0 })
  })
})

interface OwnerParts {
  readonly committed?: number
  readonly batchSize?: number
  readonly predecessor?: Promise<void>
  readonly process?: (session: PartitionSession) => Promise<void>
  readonly write?: () => Promise<never>
}

/** An owner of signals/0 with a fake Kafka that lists what happened. */
function owner({
  committed = 0,
  batchSize = 10,
  predecessor = Promise.resolve(),
  process,
  write,
}: OwnerParts) {
  const steps: string[] = []
  const handed: number[][] = []
  const written: number[] = []
  const handler: PartitionHandler = {
    assigned: async session => {
      steps.push(`assigned at ${session.committedOffset}`)
      return session.committedOffset
    },
    process: async (session: PartitionSession, records: RecordList) => {
      handed.push(Array.from(records, ({ offset }) => offset))
      await process?.(session)
    },
    released: () => steps.push('released'),
  }
  let source = fakeSource(() => {})
  const partitionOwner = new PartitionConsumer({
    topic: 'signals',
    partition: 0,
    group: 'group',
    handler,
    batchSize,
    logger: silent,
    outages: new HeldOutages(silent),
    predecessor,
    openWriter: async () => {
      steps.push('fence')
      return {
        write: async (_, groupOffset) => {
          await write?.()
          written.push(groupOffset!.nextOffset)
          return []
        },
        discard: async () => {},
      }
    },
    groupOffset: async () => {
      steps.push('read offset')
      return { committed, first: 0, end: 100 }
    },
    openSource: offset => {
      steps.push(`fetch from ${offset}`)
      source = fakeSource(() => steps.push('closed'))
      return source
    },
  })
  onTestFinished(() => partitionOwner.end('at-once'))
  return {
    ...{ owner: partitionOwner, steps, handed, written },
    arrive: (...offsets: readonly number[]) => source.arrive(offsets),
    fail: (error: Error) => source.fail(error),
    stall: (problem: string | undefined) => source.stall(problem),
    waitAt: (offset: number) => source.waitAt(offset),
  }
}

interface FakeSource extends RecordSource {
  arrive(offsets: readonly number[]): void
  fail(error: Error): void
  stall(problem: string | undefined): void
  /** It waits for the record at this offset. */
  waitAt(offset: number): void
}

/** A source whose `take` waits for records to arrive. */
function fakeSource(onClose: () => void): FakeSource {
  const arrived: LogRecord[] = []
  let failure: Error | undefined
  let problem: string | undefined
  let isClosed = false
  let waitsAt: number | undefined
  let wake = (): void => {}
  return {
    arrive: offsets => {
      arrived.push(...offsets.map(record))
      wake()
    },
    fail: error => {
      failure = error
      wake()
    },
    stall: text => {
      problem = text
    },
    waitAt: offset => {
      waitsAt = offset
    },
    problem: () => problem,
    waitsAt: () => waitsAt,
    take: async most => {
      while (arrived.length === 0 && !isClosed && failure === undefined)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      if (failure !== undefined) throw failure
      return isClosed ? undefined : arrived.splice(0, most)
    },
    close: () => {
      if (isClosed) return
      isClosed = true
      onClose()
      wake()
    },
  }
}

function record(offset: number): LogRecord {
  return {
    topic: 'signals',
    partition: 0,
    offset,
    timestamp: 0,
    key: null,
    value: null,
    headers: {},
    headerList: [],
  }
}
