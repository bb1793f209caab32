import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import type {
  Consumption,
  Header,
  Log,
  LogRecord,
  OutgoingRecord,
  PartitionHandler,
  PartitionSession,
  RecordList,
} from '../../src/log/log.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { logReadingContract, type OpenedLog } from './log-reading-contract.ts'

/** The limit of each wait: Kafka takes seconds to join a group and to move partitions. */
const PATIENCE_MS = 45_000
const TEST_TIMEOUT_MS = 120_000
/** After this long without an event, a test takes it that none will come. */
const QUIET_MS = 400

/**
 * The contract of every log. `open` is called once for all tests; each test makes its own topics and groups.
 * Offsets may have gaps, so no test assumes that the next one is one higher.
 */
export function logContract(name: string, open: () => Promise<OpenedLog>): void {
  describe(`${name}: the log`, { timeout: TEST_TIMEOUT_MS }, () => {
    let opened: OpenedLog
    let log: Log

    beforeAll(async () => {
      opened = await open()
      log = opened.log
    }, TEST_TIMEOUT_MS)

    afterAll(async () => {
      await opened?.close()
    }, TEST_TIMEOUT_MS)

    /** Consumes until the test ends. */
    async function consume(topics: readonly string[], handler: PartitionHandler, options: ConsumeParts = {}) {
      const { group = newGroup(), batchSize = 100 } = options
      const consumption = await log.consume({ group, topics, handler, batchSize })
      onTestFinished(() => consumption.stop())
      return consumption
    }

    async function appendNumbered(topic: string, count: number, partition = 0): Promise<number[]> {
      const positions = await log.append(
        Array.from({ length: count }, (_, i) => ({ topic, partition, key: 'k', value: `${i}` })),
      )
      return positions.map(position => position.offset)
    }

    logReadingContract(() => opened)

    describe('appending', () => {
      it('returns the number of partitions of a topic', async () => {
        expect(await log.partitions(await opened.createTopic(1))).toBe(1)
        expect(await log.partitions(await opened.createTopic(5))).toBe(5)
      })

      it('returns records in the order in which they were appended', async () => {
        const topic = await opened.createTopic(1)
        const first = await appendNumbered(topic, 100)
        const second = await log.append([{ topic, key: 'k', value: 'last' }])
        const records = await all(log, topic)
        expect(records.map(textOf)).toEqual([...Array.from({ length: 100 }, (_, i) => `${i}`), 'last'])
        expect(records.map(record => record.offset)).toEqual([...first, second[0]!.offset])
        expect(isAscending(first)).toBe(true)
        expect(second[0]!.offset).toBeGreaterThan(first.at(-1)!)
      })

      it('returns nothing from an empty topic', async () => {
        expect(await all(log, await opened.createTopic(3))).toEqual([])
      })

      it('accepts an empty list of records', async () => {
        expect(await log.append([])).toEqual([])
      })

      it('puts a key where partitionOf says, and returns the position of each record', async () => {
        const topic = await opened.createTopic(7)
        const keys = [
          'acme',
          'globex',
          'Zürich-🚀',
          'a:b',
          ' ',
          ...Array.from({ length: 40 }, (_, i) => `k${i}`),
        ]
        const positions = await log.append(keys.map(key => ({ topic, key, value: key })))
        expect(positions.map(position => position.partition)).toEqual(keys.map(key => partitionOf(key, 7)))
        for (const record of await all(log, topic)) {
          expect(record.partition).toBe(partitionOf(record.key!, 7))
          const place = positions[keys.indexOf(textOf(record))]!
          expect({ partition: record.partition, offset: record.offset }).toEqual(place)
        }
      })

      it('puts a record into the partition that it names', async () => {
        const topic = await opened.createTopic(3)
        const positions = await log.append([
          { topic, partition: 2, key: 'acme', value: 'a' },
          { topic, partition: 0, key: 'acme', value: 'b' },
          { topic, partition: 2, key: null, value: 'c' },
        ])
        expect(positions.map(position => position.partition)).toEqual([2, 0, 2])
        const records = await all(log, topic)
        expect(records.map(record => [record.partition, textOf(record)])).toEqual([
          [0, 'b'],
          [2, 'a'],
          [2, 'c'],
        ])
      })

      it('appends to several topics at once', async () => {
        const [one, two] = [await opened.createTopic(1), await opened.createTopic(1)]
        await log.append([
          { topic: one, key: 'k', value: '1' },
          { topic: two, key: 'k', value: '2' },
          { topic: one, key: 'k', value: '3' },
        ])
        expect((await all(log, one)).map(textOf)).toEqual(['1', '3'])
        expect((await all(log, two)).map(textOf)).toEqual(['2'])
      })

      it('keeps keys, values and headers byte for byte', async () => {
        const topic = await opened.createTopic(1)
        const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
        const large = Buffer.alloc(200_000, 0xfe)
        await log.append([
          { topic, key: everyByte, value: everyByte, headers: { ce_id: 'é🚀', binary: everyByte, none: '' } },
          { topic, key: 'text', value: 'Zürich-🚀' },
          { topic, key: 'empty', value: '' },
          { topic, key: 'large', value: large, headers: { large } },
        ])
        const [binary, text, empty, big] = await all(log, topic)
        expect(binary!.key).toEqual(everyByte)
        expect(binary!.value).toEqual(everyByte)
        expect(binary!.headers).toEqual({
          ce_id: Buffer.from('é🚀'),
          binary: everyByte,
          none: Buffer.alloc(0),
        })
        expect(text!.key).toEqual(Buffer.from('text'))
        expect(text!.value).toEqual(Buffer.from('Zürich-🚀'))
        expect(text!.headers).toEqual({})
        expect(empty!.value).toEqual(Buffer.alloc(0))
        expect(Buffer.compare(big!.value!, large)).toBe(0)
        expect(Buffer.compare(big!.headers['large']!, large)).toBe(0)
      })

      it('keeps carried headers as they came: in order, repeated, null, and names that are no text', async () => {
        const topic = await opened.createTopic(1)
        const carriedHeaders: Header[] = [
          [Buffer.from('twice'), Buffer.from('1')],
          [Buffer.from('null'), null],
          [Buffer.from('twice'), Buffer.from([0xff, 0x00])],
          [Buffer.from('empty'), Buffer.alloc(0)],
          [Buffer.from(''), Buffer.from('no name')],
          [Buffer.from([0xc3, 0x28]), Buffer.from('no UTF-8')],
          [Buffer.from('ours'), Buffer.from('theirs')],
        ]
        await log.append([
          { topic, key: null, partition: 0, value: null, carriedHeaders, headers: { ours: 'last' } },
          { topic, key: null, partition: 0, value: null, carriedHeaders },
        ])
        const [both, carried] = await all(log, topic)
        expect([...both!.headerList]).toEqual([...carriedHeaders, [Buffer.from('ours'), Buffer.from('last')]])
        expect([...carried!.headerList]).toEqual(carriedHeaders)
        const names = ['twice', 'null', 'empty', '', 'ours']
        expect(names.map(name => both!.headers[name]?.toString('latin1'))).toEqual([
          '\u00ff\u0000',
          '',
          '',
          'no name',
          'last',
        ])
      })

      it('keeps null and empty apart, in key and value', async () => {
        const topic = await opened.createTopic(1)
        await log.append([
          { topic, partition: 0, key: null, value: null },
          { topic, partition: 0, key: 'tombstone', value: null },
          { topic, partition: 0, key: null, value: 'no key' },
        ])
        const [neither, tombstone, keyless] = await all(log, topic)
        expect([neither!.key, neither!.value]).toEqual([null, null])
        expect([tombstone!.key, tombstone!.value]).toEqual([Buffer.from('tombstone'), null])
        expect([keyless!.key, keyless!.value]).toEqual([null, Buffer.from('no key')])
      })

      it('keeps a given timestamp, and uses the current time without one', async () => {
        const topic = await opened.createTopic(1)
        const before = Date.now()
        await log.append([
          { topic, key: 'k', value: 'old', timestamp: 1_600_000_000_123 },
          { topic, key: 'k', value: 'now' },
          { topic, key: 'k', value: 'older', timestamp: 1_500_000_000_000 },
        ])
        const [old, now, older] = await all(log, topic)
        expect([old!.timestamp, older!.timestamp]).toEqual([1_600_000_000_123, 1_500_000_000_000])
        expect(now!.timestamp).toBeGreaterThan(before - 5_000)
        expect(now!.timestamp).toBeLessThan(Date.now() + 5_000)
      })

      it('answers a ping', async () => {
        await log.ping()
      })
    })

    describe('consuming', () => {
      it('hands over a topic from its beginning, then later records, in order', async () => {
        const topic = await opened.createTopic(1)
        await appendNumbered(topic, 50)
        const recorder = new Recorder()
        await consume([topic], recorder)
        await until(() => recorder.texts.length >= 50)
        await log.append([{ topic, key: 'k', value: 'later' }])
        await until(() => recorder.texts.length >= 51)
        expect(recorder.texts).toEqual([...Array.from({ length: 50 }, (_, i) => `${i}`), 'later'])
      })

      it('hands over records with all their fields', async () => {
        const topic = await opened.createTopic(1)
        const headers = { ce_id: Buffer.from([0, 255]) }
        await log.append([{ topic, key: 'k', value: null, headers, timestamp: 1_600_000_000_000 }])
        const recorder = new Recorder()
        await consume([topic], recorder)
        await until(() => recorder.records.length === 1)
        expect(recorder.records[0]).toEqual((await all(log, topic))[0])
        expect(recorder.records[0]).toMatchObject({ topic, partition: 0, value: null, headers })
      })

      it('reads every partition of every topic, each in order', async () => {
        const topics = [await opened.createTopic(3), await opened.createTopic(2)]
        const records = topics.flatMap(topic =>
          Array.from({ length: 60 }, (_, i) => ({ topic, key: `account-${i % 12}`, value: `${i}` })),
        )
        await log.append(records)
        const recorder = new Recorder()
        const consumption = await consume(topics, recorder)
        await until(() => recorder.records.length >= 120)
        expect(recorder.records).toHaveLength(120)
        for (const offsets of recorder.offsetsByPartition().values()) expect(isAscending(offsets)).toBe(true)
        expect(placesOf(consumption.assignments())).toEqual(
          [`${topics[0]}/0`, `${topics[0]}/1`, `${topics[0]}/2`, `${topics[1]}/0`, `${topics[1]}/1`].sort(),
        )
        expect(consumption.problem()).toBeUndefined()
      })

      it('hands over at most batchSize records at once, and at least one', async () => {
        const topic = await opened.createTopic(1)
        await appendNumbered(topic, 53)
        const recorder = new Recorder()
        await consume([topic], recorder, { batchSize: 7 })
        await until(() => recorder.texts.length >= 53)
        for (const size of recorder.batchSizes) {
          expect(size).toBeGreaterThan(0)
          expect(size).toBeLessThanOrEqual(7)
        }
        expect(recorder.texts).toHaveLength(53)
      })

      it('makes one call at a time for a partition, and lets partitions proceed independently', async () => {
        const topic = await opened.createTopic(2)
        await appendNumbered(topic, 30, 0)
        await appendNumbered(topic, 30, 1)
        const underWay = new Map<number, number>()
        const gate = new Gate()
        let overlaps = 0
        const recorder = new Recorder({
          beforeCommit: async session => {
            const calls = (underWay.get(session.partition) ?? 0) + 1
            underWay.set(session.partition, calls)
            if (calls > 1) overlaps++
            if (session.partition === 0) await gate.opened
            await setTimeout(1)
            underWay.set(session.partition, calls - 1)
          },
        })
        await consume([topic], recorder, { batchSize: 4 })
        await until(() => recorder.countOf(topic, 1) === 30)
        expect(recorder.countOf(topic, 0)).toBe(0)
        gate.open()
        await until(() => recorder.countOf(topic, 0) === 30)
        expect(overlaps).toBe(0)
      })

      it('lets two groups read the same topic, each at its own pace', async () => {
        const topic = await opened.createTopic(1)
        await appendNumbered(topic, 10)
        const [one, two] = [new Recorder(), new Recorder()]
        await consume([topic], one)
        await consume([topic], two)
        await until(() => one.texts.length === 10 && two.texts.length === 10)
      })

      it('begins a session with the committed offset and the end of the partition', async () => {
        const topic = await opened.createTopic(1)
        const offsets = await appendNumbered(topic, 10)
        const recorder = new Recorder()
        await consume([topic], recorder)
        await until(() => recorder.texts.length === 10)
        expect(recorder.sessions[0]).toMatchObject({
          topic,
          partition: 0,
          committedOffset: 0,
          firstOffset: 0,
        })
        expect(recorder.sessions[0]!.endOffset).toBeGreaterThan(offsets.at(-1)!)
      })

      it('begins a session with the end 0 in an empty partition', async () => {
        const topic = await opened.createTopic(1)
        const recorder = new Recorder()
        await consume([topic], recorder)
        await until(() => recorder.sessions.length === 1)
        expect(recorder.sessions[0]).toMatchObject({ committedOffset: 0, firstOffset: 0, endOffset: 0 })
      })
    })

    describe('a committed offset', () => {
      it('is where the group continues after a stop', async () => {
        const [topic, group] = [await opened.createTopic(1), newGroup()]
        const offsets = await appendNumbered(topic, 20)
        const before = new Recorder()
        const consumption = await consume([topic], before, { group })
        await until(() => before.texts.length === 20)
        await consumption.stop()

        await log.append([{ topic, key: 'k', value: 'new' }])
        const after = new Recorder()
        await consume([topic], after, { group })
        await until(() => after.texts.length === 1)
        expect(after.texts).toEqual(['new'])
        expect(after.sessions[0]!.committedOffset).toBe(offsets.at(-1)! + 1)
      })

      it('keeps its metadata until other metadata is committed', async () => {
        const [topic, group] = [await opened.createTopic(1), newGroup()]
        await appendNumbered(topic, 2)
        let metadata: string | undefined = 'how far – it is'
        const recorder = new Recorder({ metadata: () => metadata })
        const first = await consume([topic], recorder, { group, batchSize: 1 })
        await until(() => recorder.texts.length === 2)
        expect(recorder.sessions[0]!.committedMetadata).toBeUndefined()
        await first.stop()
        expect((await log.group(group, topic)).metadata).toEqual(new Map([[0, metadata]]))

        await appendNumbered(topic, 1)
        metadata = undefined
        const second = await consume([topic], recorder, { group })
        await until(() => recorder.texts.length === 3)
        expect(recorder.sessions[1]!.committedMetadata).toBe('how far – it is')
        await second.stop()
        expect((await log.group(group, topic)).metadata).toEqual(new Map())
      })

      it('may be earlier than the records that were handed over', async () => {
        const [topic, group] = [await opened.createTopic(1), newGroup()]
        const offsets = await appendNumbered(topic, 10)
        const before = new Recorder({ nextOffset: () => offsets[4]! })
        const consumption = await consume([topic], before, { group })
        await until(() => before.texts.length === 10)
        await consumption.stop()

        const after = new Recorder()
        await consume([topic], after, { group })
        await until(() => after.texts.length === 6)
        expect(after.texts).toEqual(['4', '5', '6', '7', '8', '9'])
        expect(after.sessions[0]!.committedOffset).toBe(offsets[4])
      })

      it('yields to an earlier or later offset that `assigned` returns', async () => {
        const [topic, group] = [await opened.createTopic(1), newGroup()]
        const offsets = await appendNumbered(topic, 10)
        const first = new Recorder({ nextOffset: () => offsets[5]! })
        const consumption = await consume([topic], first, { group })
        await until(() => first.texts.length === 10)
        await consumption.stop()

        const earlier = new Recorder({ startAt: () => offsets[2]!, nextOffset: () => offsets[5]! })
        const second = await consume([topic], earlier, { group })
        await until(() => earlier.texts.length === 8)
        await second.stop()
        expect(earlier.texts[0]).toBe('2')
        expect(earlier.sessions[0]!.committedOffset).toBe(offsets[5])

        const later = new Recorder({ startAt: () => offsets[8]! })
        await consume([topic], later, { group })
        await until(() => later.texts.length === 2)
        expect(later.texts).toEqual(['8', '9'])
      })

      it('belongs to one partition', async () => {
        const [topic, group] = [await opened.createTopic(2), newGroup()]
        await appendNumbered(topic, 5, 1)
        const before = new Recorder()
        const consumption = await consume([topic], before, { group })
        await until(() => before.texts.length === 5)
        await consumption.stop()

        await appendNumbered(topic, 3, 0)
        const after = new Recorder()
        await consume([topic], after, { group })
        await until(() => after.countOf(topic, 0) === 3)
        await setTimeout(QUIET_MS)
        expect(after.countOf(topic, 1)).toBe(0)
      })
    })

    describe('a commit', () => {
      it('publishes its records, in order', async () => {
        const [input, output] = [await opened.createTopic(1), await opened.createTopic(1)]
        await appendNumbered(input, 40)
        const recorder = new Recorder({ outputs: records => records.map(record => copyTo(output, record)) })
        await consume([input], recorder, { batchSize: 6 })
        await until(() => recorder.texts.length === 40)
        expect((await all(log, output)).map(textOf)).toEqual(recorder.texts)
      })

      it('shows nothing before it is done, and everything afterwards', async () => {
        const [input, output] = [await opened.createTopic(1), await opened.createTopic(1)]
        await appendNumbered(input, 5)
        const gate = new Gate()
        const seenBefore: LogRecord[] = []
        const recorder = new Recorder({
          outputs: records => records.map(record => copyTo(output, record)),
          beforeCommit: async () => {
            seenBefore.push(...(await all(log, output)))
            await gate.opened
          },
        })
        await consume([input], recorder)
        await until(() => recorder.handed.length >= 5)
        expect(seenBefore).toEqual([])
        gate.open()
        await until(() => recorder.texts.length === 5)
        expect(await all(log, output)).toHaveLength(5)
      })

      it('without records moves the offset', async () => {
        const [topic, group] = [await opened.createTopic(1), newGroup()]
        const offsets = await appendNumbered(topic, 3)
        const before = new Recorder({ outputs: () => [] })
        const consumption = await consume([topic], before, { group })
        await until(() => before.texts.length === 3)
        await consumption.stop()
        const after = new Recorder()
        await consume([topic], after, { group })
        await until(() => after.sessions.length === 1)
        expect(after.sessions[0]!.committedOffset).toBe(offsets.at(-1)! + 1)
      })

      it('goes to several topics and partitions at once', async () => {
        const [input, one, two] = [
          await opened.createTopic(1),
          await opened.createTopic(4),
          await opened.createTopic(1),
        ]
        const values = Array.from({ length: 20 }, (_, i) => `${i}`)
        await log.append(values.map(value => ({ topic: input, key: `key-${value}`, value })))
        const recorder = new Recorder({
          outputs: records => records.flatMap(record => [copyTo(one, record), copyTo(two, record)]),
        })
        await consume([input], recorder)
        await until(() => recorder.texts.length === 20)
        expect((await all(log, two)).map(textOf)).toEqual(values)
        const copies = await all(log, one)
        expect(copies.map(textOf).sort()).toEqual(values.toSorted())
        for (const copy of copies) expect(copy.partition).toBe(partitionOf(copy.key!, 4))
      })

      it('is refused on a session that is over', async () => {
        const [input, output] = [await opened.createTopic(1), await opened.createTopic(1)]
        const recorder = new Recorder()
        const consumption = await consume([input], recorder)
        await until(() => recorder.sessions.length === 1)
        await consumption.stop()
        const late = recorder.sessions[0]!.commit([{ topic: output, key: 'k', value: 'late' }], 1)
        const thrown = await late.then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(thrown).toBeInstanceOf(UpswellError)
        expect(['LOG_FENCED', 'LOG_UNAVAILABLE']).toContain((thrown as UpswellError).code)
        expect(await all(log, output)).toEqual([])
      })
    })

    describe('a session that is lost between two batches', () => {
      it('is released, and the next begins at the last commit', async () => {
        const topic = await opened.createTopic(1)
        await appendNumbered(topic, 2)
        const recorder = new Recorder()
        const consumption = await consume([topic], recorder)
        await until(() => recorder.texts.length === 2)
        const lost = recorder.sessions[0]!
        lost.lose(new Error('the store is gone'))
        lost.lose(new Error('and gone'))
        await until(() => recorder.sessions.length === 2)
        expect(recorder.releases.get(lost)).toBe(1)
        await expect(lost.commit([], 2)).rejects.toMatchObject({ code: 'LOG_FENCED' })
        await appendNumbered(topic, 1)
        await until(() => recorder.texts.length === 3)
        expect(recorder.handed.length).toBe(3)
        await until(() => consumption.problem() === undefined)
      })
    })

    describe('a handler that throws', () => {
      it('before its commit gets the same records again, and the first attempt published nothing', async () => {
        const [input, output] = [await opened.createTopic(1), await opened.createTopic(1)]
        await appendNumbered(input, 10)
        let failures = 0
        const recorder = new Recorder({
          outputs: records => records.map(record => copyTo(output, record)),
          beforeCommit: async () => {
            if (failures++ < 2) throw new Error('not yet')
          },
        })
        await consume([input], recorder)
        await until(() => recorder.texts.length === 10)
        const values = Array.from({ length: 10 }, (_, i) => `${i}`)
        expect(recorder.texts).toEqual(values)
        expect(recorder.handed.length).toBeGreaterThan(10)
        expect(new Set(recorder.handed)).toEqual(new Set(values))
        expect((await all(log, output)).map(textOf)).toEqual(values)
      })

      it('after its commit does not get the records again', async () => {
        const [input, output] = [await opened.createTopic(1), await opened.createTopic(1)]
        await appendNumbered(input, 10)
        let failures = 0
        const recorder = new Recorder({
          outputs: records => records.map(record => copyTo(output, record)),
          afterCommit: async () => {
            if (failures++ === 0) throw new Error('too late')
          },
        })
        await consume([input], recorder)
        await until(() => recorder.sessions.length >= 2)
        await log.append([{ topic: input, key: 'k', value: 'new' }])
        await until(() => recorder.texts.at(-1) === 'new')
        const values = [...Array.from({ length: 10 }, (_, i) => `${i}`), 'new']
        expect(recorder.handed).toEqual(values)
        expect((await all(log, output)).map(textOf)).toEqual(values)
      })

      it('is shown as a problem until a call succeeds', async () => {
        const topic = await opened.createTopic(1)
        await appendNumbered(topic, 1)
        let isBroken = true
        const recorder = new Recorder({
          beforeCommit: async () => {
            if (isBroken) throw new Error('the store is down')
          },
        })
        const consumption = await consume([topic], recorder)
        await until(() => consumption.problem()?.includes('the store is down') === true)
        isBroken = false
        await until(() => recorder.texts.length === 1)
        await until(() => consumption.problem() === undefined)
      })

      it('in `assigned` is assigned again', async () => {
        const topic = await opened.createTopic(1)
        await appendNumbered(topic, 3)
        let failures = 0
        const recorder = new Recorder({
          startAt: session => {
            if (failures++ < 2) throw new Error('not yet')
            return session.committedOffset
          },
        })
        await consume([topic], recorder)
        await until(() => recorder.texts.length === 3)
        expect(recorder.sessions.length).toBeGreaterThanOrEqual(3)
      })

      it('holds up only its own partition', async () => {
        const topic = await opened.createTopic(2)
        await appendNumbered(topic, 5, 0)
        await appendNumbered(topic, 5, 1)
        const recorder = new Recorder({
          beforeCommit: async session => {
            if (session.partition === 0) throw new Error('broken')
          },
        })
        await consume([topic], recorder)
        await until(() => recorder.countOf(topic, 1) === 5)
        expect(recorder.countOf(topic, 0)).toBe(0)
      })
    })

    describe('a session', () => {
      it('is released once, and not used afterwards', async () => {
        const topic = await opened.createTopic(2)
        await appendNumbered(topic, 20, 0)
        await appendNumbered(topic, 20, 1)
        let failures = 0
        const recorder = new Recorder({
          beforeCommit: async () => {
            if (failures++ % 3 === 1 && failures < 12) throw new Error('now and then')
          },
        })
        const consumption = await consume([topic], recorder, { batchSize: 5 })
        await until(() => recorder.texts.length === 40)
        await consumption.stop()
        expect(recorder.sessions.length).toBeGreaterThan(2)
        for (const session of recorder.sessions) expect(recorder.releases.get(session)).toBe(1)
        expect(recorder.releases.size).toBe(recorder.sessions.length)
        expect(recorder.usesAfterRelease).toBe(0)
      })
    })

    describe('stopping', () => {
      it('waits for the current batch, whose commit counts', async () => {
        const [topic, group] = [await opened.createTopic(1), newGroup()]
        const offsets = await appendNumbered(topic, 4)
        const gate = new Gate()
        const recorder = new Recorder({ beforeCommit: () => gate.opened })
        const consumption = await consume([topic], recorder, { group, batchSize: 4 })
        await until(() => recorder.handed.length === 4)

        let isStopped = false
        const stopped = consumption.stop().then(() => {
          isStopped = true
        })
        await setTimeout(QUIET_MS)
        expect(isStopped).toBe(false)
        gate.open()
        await stopped
        expect(recorder.texts).toHaveLength(4)
        expect(recorder.releases.get(recorder.sessions[0]!)).toBe(1)
        expect(consumption.assignments()).toEqual([])

        const after = new Recorder()
        await consume([topic], after, { group })
        await until(() => after.sessions.length === 1)
        expect(after.sessions[0]!.committedOffset).toBe(offsets.at(-1)! + 1)
      })

      it('ends the handing over', async () => {
        const topic = await opened.createTopic(1)
        const recorder = new Recorder()
        const consumption = await consume([topic], recorder)
        await until(() => consumption.assignments().length === 1)
        await consumption.stop()
        await appendNumbered(topic, 3)
        await setTimeout(QUIET_MS)
        expect(recorder.handed).toEqual([])
      })

      it('works twice, and while a handler keeps failing', async () => {
        const topic = await opened.createTopic(1)
        await appendNumbered(topic, 1)
        const recorder = new Recorder({
          beforeCommit: async () => {
            throw new Error('always')
          },
        })
        const consumption: Consumption = await consume([topic], recorder)
        await until(() => consumption.problem() !== undefined)
        await Promise.all([consumption.stop(), consumption.stop()])
        await consumption.stop()
        expect(consumption.assignments()).toEqual([])
      })
    })
  })
}

interface ConsumeParts {
  readonly group?: string
  readonly batchSize?: number
}

interface RecorderParts {
  startAt?(session: PartitionSession): number
  outputs?(records: readonly LogRecord[]): OutgoingRecord[]
  nextOffset?(records: readonly LogRecord[]): number
  metadata?(): string | undefined
  beforeCommit?(session: PartitionSession): Promise<void>
  afterCommit?(session: PartitionSession): Promise<void>
}

/** A handler that commits each batch and records what happened. */
class Recorder implements PartitionHandler {
  readonly #parts: RecorderParts
  /** Records whose commit resolved. */
  readonly records: LogRecord[] = []
  /** Values of all records that `process` was called with. */
  readonly handed: string[] = []
  readonly batchSizes: number[] = []
  readonly sessions: PartitionSession[] = []
  readonly releases = new Map<PartitionSession, number>()
  usesAfterRelease = 0

  constructor(parts: RecorderParts = {}) {
    this.#parts = parts
  }

  get texts(): string[] {
    return this.records.map(textOf)
  }

  async assigned(session: PartitionSession): Promise<number> {
    this.sessions.push(session)
    return this.#parts.startAt?.(session) ?? session.committedOffset
  }

  async process(session: PartitionSession, handedOver: RecordList): Promise<void> {
    const records = [...handedOver]
    if (this.releases.has(session)) this.usesAfterRelease++
    this.batchSizes.push(records.length)
    this.handed.push(...records.map(textOf))
    await this.#parts.beforeCommit?.(session)
    const nextOffset = this.#parts.nextOffset?.(records) ?? records.at(-1)!.offset + 1
    await session.commit(this.#parts.outputs?.(records) ?? [], nextOffset, this.#parts.metadata?.())
    this.records.push(...records)
    await this.#parts.afterCommit?.(session)
  }

  released(session: PartitionSession): void {
    this.releases.set(session, (this.releases.get(session) ?? 0) + 1)
  }

  countOf(topic: string, partition: number): number {
    return this.records.filter(record => record.topic === topic && record.partition === partition).length
  }

  offsetsByPartition(): Map<string, number[]> {
    const offsets = new Map<string, number[]>()
    for (const { topic, partition, offset } of this.records) {
      const place = `${topic}/${partition}`
      offsets.set(place, [...(offsets.get(place) ?? []), offset])
    }
    return offsets
  }
}

/** Holds up all that await `opened`. */
class Gate {
  readonly opened: Promise<void>
  #open: () => void = () => {}

  constructor() {
    this.opened = new Promise(resolve => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`Still not so after ${PATIENCE_MS} ms: ${isSo}`)
    await setTimeout(10)
  }
}

async function all(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of log.readAll(topic)) records.push(record)
  return records
}

function copyTo(topic: string, record: LogRecord): OutgoingRecord {
  return { topic, key: record.key, value: record.value }
}

function textOf(record: LogRecord): string {
  return record.value?.toString() ?? ''
}

function newGroup(): string {
  return `group-${randomUUID()}`
}

function placesOf(assignments: readonly { readonly topic: string; readonly partition: number }[]): string[] {
  return assignments.map(({ topic, partition }) => `${topic}/${partition}`).sort()
}

function isAscending(offsets: readonly number[]): boolean {
  return offsets.every((offset, i) => i === 0 || offset > offsets[i - 1]!)
}
