import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Log, LogRecord, OutgoingRecord, Stretch } from '../../src/log/log.ts'
import { all, CopyingHandler, textOf, until } from '../support/log-handlers.ts'

export interface OpenedLog {
  readonly log: Log
  /** Creates a topic and returns its name. */
  createTopic(partitions: number): Promise<string>
  /** Writes the records in a transaction and aborts it. Left out if the log never shows an aborted one. */
  abort?(records: readonly OutgoingRecord[]): Promise<void>
  close(): Promise<void>
}

/**
 * The contract of every log for reading without consuming, and for creating and deleting topics and groups.
 */
export function logReadingContract(openedLog: () => OpenedLog): void {
  const log = (): Log => openedLog().log

  /** Appends to one partition and returns the offsets. */
  async function appendTexts(topic: string, partition: number, texts: readonly string[]): Promise<number[]> {
    const positions = await log().append(texts.map(value => ({ topic, partition, key: 'k', value })))
    return positions.map(({ offset }) => offset)
  }

  async function makeTopic(partitions: number, name = `made-${randomUUID()}`): Promise<string> {
    expect(await log().createTopics([{ name, partitions }])).toMatchObject({ created: [name] })
    return name
  }

  describe('reading stretches', () => {
    it('returns the middle of a partition, without aborted records', async () => {
      const topic = await openedLog().createTopic(2)
      const early = await appendTexts(topic, 1, ['a', 'b', 'c'])
      await openedLog().abort?.(['lost 1', 'lost 2'].map(value => ({ topic, partition: 1, key: 'k', value })))
      const middle = await appendTexts(topic, 1, ['d', 'e'])
      await openedLog().abort?.([{ topic, partition: 1, key: 'k', value: 'lost 3' }])
      const late = await appendTexts(topic, 1, ['f', 'g'])
      const from = early[1]!
      expect(await textsIn(topic, [{ partition: 1, from, to: late[1]! }])).toEqual(['b', 'c', 'd', 'e', 'f'])
      expect(await textsIn(topic, [{ partition: 1, from, to: middle[0]! }])).toEqual(['b', 'c'])
      expect(await textsIn(topic, [{ partition: 1, from: middle[1]!, to: middle[1]! + 1 }])).toEqual(['e'])
    })

    it('returns records with all their fields, like consuming', async () => {
      const topic = await openedLog().createTopic(1)
      const headers = { ce_id: Buffer.from([0, 255]) }
      const [position] = await log().append([
        { topic, key: 'k', value: 'v', headers, timestamp: 1_600_000_000_000 },
      ])
      const [record] = await recordsIn(topic, [{ partition: 0, from: 0, to: position!.offset + 1 }])
      expect(record).toEqual((await all(log(), topic))[0])
      expect(record).toMatchObject({ topic, ...position, timestamp: 1_600_000_000_000, headers })
    })

    it('returns one stretch after the other, in the order given', async () => {
      const topic = await openedLog().createTopic(3)
      await appendTexts(topic, 0, ['a0', 'a1'])
      const last = await appendTexts(topic, 2, ['c0', 'c1', 'c2'])
      const records = await recordsIn(topic, [
        { partition: 2, from: last[1]!, to: last[2]! + 1 },
        { partition: 1, from: 0, to: 10 },
        { partition: 0, from: 0, to: 10 },
        { partition: 2, from: 0, to: last[1]! },
      ])
      expect(records.map(textOf)).toEqual(['c1', 'c2', 'a0', 'a1', 'c0'])
      expect(records.map(({ partition }) => partition)).toEqual([2, 2, 0, 0, 2])
    })

    it('ends at the end of the log, and skips empty stretches', async () => {
      const topic = await openedLog().createTopic(2)
      const offsets = await appendTexts(topic, 0, ['a', 'b', 'c'])
      const from = offsets[1]!
      expect(await textsIn(topic, [{ partition: 0, from, to: 1_000_000 }])).toEqual(['b', 'c'])
      expect(
        await textsIn(topic, [
          { partition: 0, from: 500_000, to: 1_000_000 },
          { partition: 0, from, to: from },
          { partition: 0, from, to: from - 1 },
          { partition: 1, from: 0, to: 5 },
        ]),
      ).toEqual([])
      expect(await textsIn(topic, [])).toEqual([])
    })

    it('refuses a partition that does not exist', async () => {
      const topic = await openedLog().createTopic(2)
      await expect(textsIn(topic, [{ partition: 2, from: 0, to: 5 }])).rejects.toThrow(/no partition 2/)
    })

    it('returns thousands of records, some large, each once and in order', async () => {
      const topic = await openedLog().createTopic(1)
      const large = Array.from({ length: 40 }, (_, i) => `large ${i} `.padEnd(100_000, 'x'))
      const small = Array.from({ length: 5_000 }, (_, i) => `small ${i}`)
      const [first] = await appendTexts(topic, 0, [...large, ...small])
      const texts = await textsIn(topic, [{ partition: 0, from: first! + 7, to: first! + 4_907 }])
      expect(texts).toEqual([...large, ...small].slice(7, 4_907))
    })

    it('works several times at once, and may end early', async () => {
      const topic = await openedLog().createTopic(2)
      const texts = Array.from({ length: 3_000 }, (_, i) => `${i}`)
      for (const partition of [0, 1]) await appendTexts(topic, partition, texts)
      const to = (await log().ranges(topic)).get(0)!.end
      const early: string[] = []
      for await (const record of log().read(topic, [{ partition: 0, from: 0, to }])) {
        early.push(textOf(record))
        if (early.length === 5) break
      }
      const both = await Promise.all([0, 1].map(partition => textsIn(topic, [{ partition, from: 0, to }])))
      expect(early).toEqual(texts.slice(0, 5))
      expect(both).toEqual([texts, texts])
    })

    it('does not move the offsets of a group', async () => {
      const [topic, group] = [await openedLog().createTopic(1), `group-${randomUUID()}`]
      await appendTexts(topic, 0, ['a'])
      await textsIn(topic, [{ partition: 0, from: 0, to: 1 }])
      expect(await log().group(group, topic)).toMatchObject({ isConsuming: false, committed: new Map() })
    })
  })

  describe('the ranges of a topic', () => {
    it('reach from the first offset to the next record', async () => {
      const topic = await openedLog().createTopic(3)
      const nothing = { first: 0, end: 0 }
      expect(await log().ranges(topic)).toEqual(
        new Map([
          [0, nothing],
          [1, nothing],
          [2, nothing],
        ]),
      )
      const offsets = await appendTexts(topic, 1, ['a', 'b'])
      const ranges = await log().ranges(topic)
      expect(ranges.get(1)!.first).toBe(0)
      expect(ranges.get(1)!.end).toBeGreaterThan(offsets[1]!)
      expect([ranges.get(0), ranges.get(2)]).toEqual([nothing, nothing])
    })
  })

  describe('topics', () => {
    it('are created with the given number of partitions, and listed', async () => {
      const [one, two] = [`made-${randomUUID()}`, `made-${randomUUID()}`]
      expect(
        await log().createTopics([
          { name: one, partitions: 1 },
          { name: two, partitions: 5 },
        ]),
      ).toEqual({ created: [one, two], existing: [] })
      expect([await log().partitions(one), await log().partitions(two)]).toEqual([1, 5])
      expect(await log().topics()).toEqual(expect.arrayContaining([one, two]))
      const [position] = await log().append([{ topic: two, partition: 4, key: 'k', value: 'v' }])
      expect(position!.partition).toBe(4)
    })

    it('that exist are left unchanged', async () => {
      const [old, fresh] = [await makeTopic(2), `made-${randomUUID()}`]
      await appendTexts(old, 0, ['kept'])
      const topics = [
        { name: old, partitions: 3 },
        { name: fresh, partitions: 1 },
      ]
      expect(await log().createTopics(topics)).toEqual({
        created: [fresh],
        existing: [old],
      })
      expect(await log().partitions(old)).toBe(2)
      expect((await all(log(), old)).map(textOf)).toEqual(['kept'])
    })

    it('need at least one partition', async () => {
      await expect(
        log().createTopics([{ name: `made-${randomUUID()}`, partitions: 0 }]),
      ).rejects.toMatchObject({ code: 'INVALID_SETTINGS' })
    })

    it('can be deleted and created again with another number of partitions', async () => {
      const [topic, other] = [await makeTopic(2), await makeTopic(1)]
      const group = `group-${randomUUID()}`
      await appendTexts(topic, 1, ['old 1', 'old 2', 'old 3'])
      await appendTexts(other, 0, ['other'])
      await consumeAll(topic, group)
      expect((await log().group(group, topic)).committed.get(1)).toBeGreaterThanOrEqual(3)

      await log().deleteTopics([topic])
      expect(await log().topics()).not.toContain(topic)
      await until(async () => (await log().group(group, topic)).committed.size === 0)

      await makeTopic(4, topic)
      expect(await log().partitions(topic)).toBe(4)
      expect(await log().ranges(topic)).toEqual(new Map([0, 1, 2, 3].map(i => [i, { first: 0, end: 0 }])))
      expect(await all(log(), topic)).toEqual([])
      await appendTexts(topic, 3, ['new'])
      await log().append([{ topic: other, key: 'k', value: 'other too' }])
      expect((await all(log(), topic)).map(textOf)).toEqual(['new'])
      expect((await all(log(), other)).map(textOf)).toEqual(['other', 'other too'])
    })

    it('that do not exist may be deleted', async () => {
      const topic = await makeTopic(1)
      await log().deleteTopics([`never-${randomUUID()}`, topic, topic])
      await log().deleteTopics([topic])
      await log().deleteTopics([])
      expect(await log().topics()).not.toContain(topic)
    })
  })

  describe('a group', () => {
    it('has a state: whether it consumes, and its offsets', async () => {
      const [topic, group] = [await openedLog().createTopic(2), `group-${randomUUID()}`]
      const offsets = await appendTexts(topic, 1, ['a', 'b'])
      expect(await log().group(group, topic)).toMatchObject({ isConsuming: false, committed: new Map() })
      const consumption = await log().consume({
        group,
        topics: [topic],
        handler: new CopyingHandler(await openedLog().createTopic(1)),
        batchSize: 10,
      })
      onTestFinished(() => consumption.stop())
      await until(async () => (await log().group(group, topic)).committed.size === 1)
      const committed = new Map([[1, offsets[1]! + 1]])
      expect(await log().group(group, topic)).toMatchObject({ isConsuming: true, committed })
      await expect(log().deleteGroup(group)).rejects.toMatchObject({
        code: 'LOG_UNAVAILABLE',
        message: expect.stringContaining(group),
      })
      await consumption.stop()
      await until(async () => !(await log().group(group, topic)).isConsuming)
      expect(await log().group(group, topic)).toMatchObject({ isConsuming: false, committed })
    })

    it('is gone after its deletion, and no other is', async () => {
      const [topic, group] = [await openedLog().createTopic(1), `group-${randomUUID()}`]
      await appendTexts(topic, 0, ['a', 'b'])
      for (const name of [group, `${group}-2`]) await consumeAll(topic, name)
      await log().deleteGroup(group)
      expect((await log().group(group, topic)).committed).toEqual(new Map())
      expect((await log().group(`${group}-2`, topic)).committed.size).toBe(1)
      await log().deleteGroup(group)
    })
  })

  async function recordsIn(topic: string, stretches: readonly Stretch[]): Promise<LogRecord[]> {
    const records: LogRecord[] = []
    for await (const record of log().read(topic, stretches)) records.push(record)
    return records
  }

  async function textsIn(topic: string, stretches: readonly Stretch[]): Promise<string[]> {
    return (await recordsIn(topic, stretches)).map(textOf)
  }

  /** Resolves when everything in the topic is committed and the group has left. */
  async function consumeAll(topic: string, group: string): Promise<void> {
    const output = await openedLog().createTopic(1)
    const count = (await all(log(), topic)).length
    const handler = new CopyingHandler(output)
    const consumption = await log().consume({ group, topics: [topic], handler, batchSize: 100 })
    await until(async () => (await all(log(), output)).length === count)
    await consumption.stop()
    await until(async () => !(await log().group(group, topic)).isConsuming)
  }
}
