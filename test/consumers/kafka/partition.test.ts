import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type FetchedBatch, PartitionOwner } from '../../../src/consumers/kafka/partition.ts'
import type { LogRecord, PartitionHandler, PartitionSession } from '../../../src/consumers/log.ts'
import { UpswellError } from '../../../src/errors.ts'
import { silent, until } from '../../support/log-handlers.ts'

describe('the owner of a partition', () => {
  it('fences, reads the offset, tells the handler, and only then resumes', async () => {
    const setup = owner({ committed: 7 })
    await until(() => setup.owner.isWorking())
    expect(setup.steps).toEqual(['fence', 'read offset', 'assigned at 7', 'resume at 7'])
  })

  it('waits for the owner before it', async () => {
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

  it('hands a batch over in chunks, and lets kafkajs go on behind each', async () => {
    const setup = owner({ batchSize: 2 })
    await until(() => setup.owner.isWorking())
    await setup.owner.work(setup.batch(0, [0, 1, 3], 5))
    expect(setup.handed).toEqual([[0, 1], [3]])
    expect(setup.resolved).toEqual([1, 3])
    await setup.owner.work(setup.batch(6, [6], 6))
    expect(setup.handed).toEqual([[0, 1], [3], [6]])
  })

  it('passes over what it has had already', async () => {
    const setup = owner({ committed: 4 })
    await until(() => setup.owner.isWorking())
    await setup.owner.work(setup.batch(2, [2, 3, 4, 5], 5))
    await setup.owner.work(setup.batch(2, [2, 3], 3))
    expect(setup.handed).toEqual([[4, 5]])
  })

  it('never goes past a gap: it begins anew at the committed offset', async () => {
    const setup = owner({ committed: 4 })
    await until(() => setup.owner.isWorking())
    await setup.owner.work(setup.batch(6, [6, 7], 7))
    expect(setup.handed).toEqual([])
    await until(() => setup.steps.filter(step => step === 'resume at 4').length === 2)
    expect(setup.owner.problem()).toContain('offsets 4 to 5 were passed over')
  })

  it('takes it as no gap if kafkajs says that nothing there can be read', async () => {
    const setup = owner({ committed: 4 })
    await until(() => setup.owner.isWorking())
    setup.owner.skipTo(6)
    await setup.owner.work(setup.batch(6, [6, 7], 7))
    expect(setup.handed).toEqual([[6, 7]])
  })

  it('pauses, lets the handler go and begins anew when a commit was refused, though the handler hid it', async () => {
    const setup = owner({
      write: async () => {
        throw new UpswellError('LOG_FENCED', 'an old epoch')
      },
      process: async session => {
        await session.commit([], 1).catch(() => {})
      },
    })
    await until(() => setup.owner.isWorking())
    await setup.owner.work(setup.batch(0, [0], 0))
    await until(() => setup.steps.filter(step => step.startsWith('resume')).length === 2)
    const [, , , , ...steps] = setup.steps
    expect(steps).toEqual(['pause', 'released', 'fence', 'read offset', 'assigned at 0', 'resume at 0'])
    expect(setup.resolved).toEqual([])
  })

  it('lets kafkajs go on when the handler is slow, and fetches behind the batch afterwards', async () => {
    let finish = (): void => {}
    const finished = new Promise<void>(resolve => {
      finish = resolve
    })
    const setup = owner({ process: () => finished })
    await until(() => setup.owner.isWorking())
    await setup.owner.work(setup.batch(0, [0, 1], 1))
    expect(setup.steps.at(-1)).toBe('pause')
    // Nothing is handed over meanwhile.
    await setup.owner.work(setup.batch(0, [0, 1], 1))
    expect(setup.handed).toHaveLength(1)
    finish()
    await until(() => setup.steps.at(-1) === 'resume at 2')
  })

  it('lets the call under way commit when it ends after it, and no other follows', async () => {
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
    const working = setup.owner.work(setup.batch(0, [0, 1], 1))
    setup.owner.end('after-call')
    finish()
    await Promise.all([working, setup.owner.ended])
    expect(setup.written).toEqual([1])
    expect(setup.handed).toEqual([[0]])
    expect(setup.steps.filter(step => step === 'released')).toHaveLength(1)
  })

  it('refuses the commit of the call under way when it ends at once', async () => {
    let refusal: unknown
    const setup = owner({
      process: async session => {
        setup.owner.end('at-once')
        refusal = await session.commit([], 1).catch((error: unknown) => error)
      },
    })
    await until(() => setup.owner.isWorking())
    await setup.owner.work(setup.batch(0, [0], 0))
    await setup.owner.ended
    expect(refusal).toMatchObject({ code: 'LOG_FENCED' })
    expect(setup.written).toEqual([])
  })
})

interface OwnerParts {
  readonly committed?: number
  readonly batchSize?: number
  readonly predecessor?: Promise<void>
  readonly process?: (session: PartitionSession) => Promise<void>
  readonly write?: () => Promise<never>
}

/** An owner of signals/0 whose Kafka is a list of what happened. */
function owner({
  committed = 0,
  batchSize = 10,
  predecessor = Promise.resolve(),
  process,
  write,
}: OwnerParts) {
  const steps: string[] = []
  const handed: number[][] = []
  const resolved: number[] = []
  const written: number[] = []
  const handler: PartitionHandler = {
    assigned: async session => {
      steps.push(`assigned at ${session.committedOffset}`)
      return session.committedOffset
    },
    process: async (session: PartitionSession, records: readonly LogRecord[]) => {
      handed.push(records.map(({ offset }) => offset))
      await process?.(session)
    },
    released: () => steps.push('released'),
  }
  const partitionOwner = new PartitionOwner({
    topic: 'signals',
    partition: 0,
    group: 'group',
    handler,
    batchSize,
    log: silent,
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
    resume: offset => steps.push(`resume at ${offset}`),
    pause: () => steps.push('pause'),
  })
  onTestFinished(() => partitionOwner.end('at-once'))
  const batch = (fetchedOffset: number, offsets: readonly number[], lastOffset: number): FetchedBatch => ({
    fetchedOffset,
    lastOffset,
    messages: offsets.map(message),
    resolve: offset => resolved.push(Number(offset)),
    mayGoOn: () => true,
  })
  return { owner: partitionOwner, steps, handed, resolved, written, batch }
}

function message(offset: number): KafkaMessage {
  return { offset: String(offset), timestamp: '0', key: null, value: null, attributes: 0, headers: {} }
}
