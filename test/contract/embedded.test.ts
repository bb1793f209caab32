import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { open } from 'lmdb'
import { build } from 'vite'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { type LmdbEnvironment, openLmdbEnvironment } from '../../src/lib/lmdb/lmdb-environment.ts'
import { EmbeddedLog } from '../../src/log/lmdb/lmdb-log.ts'
import type { LogRecord, PartitionHandler, PartitionSession, RecordList } from '../../src/log/log.ts'
import { LmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { logContract } from './log-contract.ts'
import { storeContract } from './store-contract.ts'

storeContract('embedded', async () => {
  const directory = await makeDirectory()
  const environment = await openLmdbEnvironment(directory)
  return {
    store: new LmdbStore(environment),
    inNamespace: namespace => new LmdbStore(environment, namespace),
    close: async () => {
      await environment.close()
      await rm(directory, { recursive: true })
    },
    empty: async () => {
      const tables = ['partitions', 'states', 'accounts', 'user-chunks', 'due', 'listings', 'counters']
      for (const table of tables) environment.table(`store-${table}`).clearSync()
    },
  }
})

logContract('embedded', async () => {
  const directory = await makeDirectory()
  const environment = await openLmdbEnvironment(directory)
  const partitions = new Map<string, number>()
  const log = new EmbeddedLog(environment, { partitions: topic => partitions.get(topic)! })
  return {
    log,
    createTopic: async count => {
      const topic = `topic-${partitions.size}`
      partitions.set(topic, count)
      return topic
    },
    close: async () => {
      await log.close()
      await environment.close()
      await rm(directory, { recursive: true })
    },
  }
})

describe('the embedded environment', () => {
  it('is created with its directory, even if the name has a dot', async () => {
    const directory = join(await temporaryDirectory(), 'not', 'there.yet')
    const environment = await openLmdbEnvironment(directory)
    expect(await environment.sizeBytes()).toBeGreaterThan(0)
    await environment.close()
  })

  it('is refused in a place that cannot be written', async () => {
    const file = join(await temporaryDirectory(), 'file')
    await writeFile(file, '')
    await expect(openLmdbEnvironment(join(file, 'data'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('cannot be written'),
    })
  })

  it('is refused if it has another format or is no LMDB file', async () => {
    const directory = await temporaryDirectory()
    const environment = await openLmdbEnvironment(directory)
    environment.meta.putSync(Buffer.from('format'), Buffer.from('99'))
    await environment.close()
    await expect(openLmdbEnvironment(directory)).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      message: expect.stringMatching(/format 99.*format 1/),
    })

    const other = await temporaryDirectory()
    await writeFile(join(other, 'data.mdb'), 'no database'.repeat(1_000))
    await expect(openLmdbEnvironment(other)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })

  it('is refused and left unchanged if another program made it', async () => {
    const directory = await temporaryDirectory()
    const foreign = open({ path: directory, noSubdir: false, overlappingSync: false })
    foreign.openDB('their-table', {}).putSync('a', 1)
    await foreign.close()
    await expect(openLmdbEnvironment(directory)).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      message: expect.stringContaining('their-table'),
    })
  })

  it('can be opened once at a time by a process', async () => {
    const directory = await temporaryDirectory()
    const environment = await openLmdbEnvironment(directory)
    await expect(openLmdbEnvironment(`${directory}/../${basename(directory)}`)).rejects.toThrow(
      'open in this process',
    )
    await environment.close()
    await (await openLmdbEnvironment(directory)).close()
  })

  it('refuses calls with a coded error after it was closed', async () => {
    const backend = await openBackend(await temporaryDirectory())
    await backend.close()
    await expect(backend.store.load(0, ['a'])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(backend.store.fence(0, 'owner')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(backend.log.append([record('1')])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
    await backend.close()
  })
})

describe('the embedded log', () => {
  it('refuses a topic whose configured number of partitions has changed', async () => {
    const directory = await temporaryDirectory()
    const before = await openEmbeddedBackend({ directory, partitions: 4 })
    await before.log.append([record('1')])
    await before.close()

    const after = await openEmbeddedBackend({ directory, partitions: 8 })
    onTestFinished(() => after.close())
    for (const refused of [
      after.log.append([record('2')]),
      after.log.partitions('in'),
      after.log.consume({ group: 'g', topics: ['in'], handler: idle, batchSize: 1 }),
    ]) {
      await expect(refused).rejects.toMatchObject({
        code: 'PARTITIONS_CHANGED',
        message: expect.stringMatching(/in .*4 partitions.*8 are configured.*Configure 4/s),
      })
    }
    expect(await valuesOf(after, 'in')).toEqual(['1'])
  })

  it('keeps a topic that was created with its own number of partitions', async () => {
    const directory = await temporaryDirectory()
    const before = await openEmbeddedBackend({ directory, partitions: 4 })
    await before.log.createTopics([
      { name: 'own', partitions: 2 },
      { name: 'usual', partitions: 4 },
    ])
    await before.close()
    const after = await openEmbeddedBackend({ directory, partitions: 8 })
    onTestFinished(() => after.close())
    expect(await after.log.partitions('own')).toBe(2)
    await expect(after.log.partitions('usual')).rejects.toMatchObject({ code: 'PARTITIONS_CHANGED' })
  })

  it('does not delete a topic that it consumes', async () => {
    const { log } = await openBackend(await temporaryDirectory())
    await log.append([record('1'), { topic: 'other', key: 'k', value: '2' }])
    const consumption = await log.consume({ group: 'g', topics: ['in'], handler: idle, batchSize: 1 })
    await expect(log.deleteTopics(['other', 'in'])).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      message: expect.stringMatching(/topic in .*consumes it/),
    })
    expect(await log.topics()).toEqual(['in', 'other'])
    await consumption.stop()
    await log.deleteTopics(['other', 'in'])
    expect(await log.topics()).toEqual([])
  })

  it('deletes the records of a large topic, and no others', async () => {
    const directory = await temporaryDirectory()
    const environment = await openLmdbEnvironment(directory)
    onTestFinished(() => environment.close())
    const log = new EmbeddedLog(environment, { partitions: 3 })
    for (const topic of ['a', 'large', 'z'])
      await log.append(
        Array.from({ length: topic === 'large' ? 25_000 : 10 }, (_, i) => ({
          topic,
          key: `${i}`,
          value: `${i}`,
        })),
      )
    await log.deleteTopics(['large'])
    expect(environment.table('log-records').getKeysCount()).toBe(20)
    expect(environment.table('log-ends').getKeysCount()).toBe(6)
    expect(await valuesOf({ log }, 'a')).toHaveLength(10)
    expect(await valuesOf({ log }, 'z')).toHaveLength(10)
  })

  it('does not let users of a deleted topic write into a later one', async () => {
    const directory = await temporaryDirectory()
    const environment = await openLmdbEnvironment(directory)
    onTestFinished(() => environment.close())
    const [one, two] = [4, 4].map(partitions => new EmbeddedLog(environment, { partitions }))
    await one!.append([record('old')])
    let open = (): void => {}
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    const codes: string[] = []
    const handler = committing(() => gate)
    const consumption = await one!.consume({
      group: 'g',
      topics: ['in'],
      batchSize: 1,
      handler: {
        ...handler,
        process: (session, records) =>
          handler.process(session, records).catch(error => {
            codes.push(error.code)
            throw error
          }),
      },
    })
    await two!.deleteTopics(['in'])
    await two!.append([{ topic: 'between', key: 'k', value: '' }])
    await two!.createTopics([{ name: 'in', partitions: 2 }])
    open()
    await vi.waitFor(() => expect(codes).toEqual(['LOG_UNAVAILABLE']), { timeout: 5_000 })
    await consumption.stop()
    expect((await two!.group('g', 'in')).committed).toEqual(new Map())
    await one!.append([record('new')])
    expect(await valuesOf({ log: two! }, 'in')).toEqual(['new'])
    expect(await one!.partitions('in')).toBe(2)
    await one!.close()
  })

  it('creates several new topics in one append', async () => {
    const backend = await openBackend(await temporaryDirectory())
    await backend.log.append(['a', 'b', 'c'].map(topic => ({ topic, key: 'k', value: topic })))
    await backend.log.append(['c', 'd', 'a'].map(topic => ({ topic, key: 'k', value: `${topic}2` })))
    expect(await valuesOf(backend, 'a')).toEqual(['a', 'a2'])
    expect(await valuesOf(backend, 'b')).toEqual(['b'])
    expect(await valuesOf(backend, 'c')).toEqual(['c', 'c2'])
    expect(await valuesOf(backend, 'd')).toEqual(['d2'])
  })

  it('keeps a header called __proto__', async () => {
    const backend = await openBackend(await temporaryDirectory())
    const headers = Object.fromEntries([['__proto__', 'x']])
    await backend.log.append([{ ...record('1'), headers }])
    for await (const { headers: found } of backend.log.readAll('in')) {
      expect(Object.entries(found)).toEqual([['__proto__', Buffer.from('x')]])
    }
  })

  it('wakes a consumer of the same process at once', async () => {
    const backend = await openBackend(await temporaryDirectory())
    const seenAt: number[] = []
    let committed = 0
    await backend.log.consume({
      group: 'g',
      topics: ['in'],
      batchSize: 10,
      handler: {
        ...idle,
        process: async (session, records) => {
          seenAt.push(performance.now())
          await session.commit([], records.at(-1)!.offset + 1)
          committed += records.length
        },
      },
    })
    const delaysMs: number[] = []
    for (let i = 0; i < 20; i++) {
      await backend.log.append([record(`${i}`)])
      const appendedAt = performance.now()
      await vi.waitFor(() => expect(committed).toBe(i + 1), { timeout: 5_000, interval: 1 })
      delaysMs.push(seenAt[i]! - appendedAt)
    }
    // The poll alone would take 50 ms on average.
    expect(delaysMs.toSorted((a, b) => a - b)[10]).toBeLessThan(20)
  })

  it('reports handlers that throw, each time, and that they work again', async () => {
    const directory = await temporaryDirectory()
    const failures: unknown[] = []
    let isLucky = false
    const backend = await openEmbeddedBackend({
      directory,
      partitions: 1,
      outages: {
        failed: (...told) => failures.push(told),
        works: part => {
          if (isLucky) failures.push(part)
        },
      },
    })
    onTestFinished(() => backend.close())
    await backend.log.append([record('1')])
    const error = new Error('no luck')
    await backend.log.consume({
      group: 'g',
      topics: ['in'],
      batchSize: 1,
      handler: {
        ...idle,
        process: async () => {
          if (!isLucky) throw error
        },
      },
    })
    await vi.waitFor(() => expect(failures.length).toBeGreaterThanOrEqual(3), { timeout: 5_000 })
    expect(failures.slice(0, 3)).toEqual(Array(3).fill(['in/0', error, { topic: 'in', partition: 0 }]))
    isLucky = true
    await vi.waitFor(() => expect(failures.at(-1)).toBe('in/0'), { timeout: 5_000 })
  })

  it('refuses to consume a topic twice for one group', async () => {
    const backend = await openBackend(await temporaryDirectory())
    const options = { group: 'g', topics: ['in'], handler: idle, batchSize: 1 }
    const consumption = await backend.log.consume(options)
    await expect(backend.log.consume(options)).rejects.toThrow('this process already consumes in as g')
    await consumption.stop()
    await backend.log.consume(options)
  })
})

describe('namespaces of the embedded backend', () => {
  const save = (storedOffset: number, ids: readonly string[]) => ({
    ...batchOf([{ offset: storedOffset - 1 } as LogRecord], {}).write,
    accounts: ids.map(accountId => ({
      ...{ accountId, bytes: Buffer.alloc(100, 1), bucket: 0, dueAt: 1 },
      ...{ listingsAdded: [], listingsRemoved: [] },
    })),
  })
  const ids = Array.from({ length: 5_000 }, (_, i) => `account-${i}`)

  it('can be opened, written, cleared and dropped while the first one is written', async () => {
    const backend = await openBackend(await temporaryDirectory())
    await backend.store.fence(0, 'owner')
    let storedOffset = 0
    let running = true
    const saving = (async () => {
      while (running) {
        const { expectedStoredOffset, ...write } = save(storedOffset + 1, ['a'])
        await backend.store.save(0, { ...write, expectedStoredOffset: storedOffset })
        storedOffset++
      }
    })()
    const others = await Promise.all(Array.from({ length: 20 }, (_, i) => backend.inNamespace(`replay/${i}`)))
    for (const other of others) {
      expect(other.log).toBe(backend.log)
      await other.store.fence(0, 'owner')
      await other.store.save(0, save(1, ids))
    }
    const savedBefore = storedOffset
    await Promise.all(others.slice(10).map(({ store }) => store.drop()))
    await Promise.all(others.slice(0, 2).map(({ store }) => store.clear(0, 'owner')))
    expect(storedOffset).toBeGreaterThan(savedBefore)
    for (const [i, { store, close }] of others.entries()) {
      expect(await store.countDue(0, Number.POSITIVE_INFINITY)).toBe(i < 2 || i >= 10 ? 0 : 5_000)
      await close()
    }
    running = false
    await saving
    expect(await backend.store.readStoredOffset(0)).toBe(storedOffset)
    await backend.log.append([record('the log is open')])
  })

  it('have their own batches', async () => {
    const backend = await openBackend(await temporaryDirectory())
    const other = await backend.inNamespace('other')
    await other.store.fence(0, 'owner')
    await backend.log.append([record('1')])
    await other.log.consume({
      group: 'g',
      topics: ['in'],
      batchSize: 10,
      handler: { ...idle, process: (session, records) => other.commitFlush(session, batchOf(records, {})) },
    })
    await vi.waitFor(async () => expect(await other.store.readStoredOffset(0)).toBe(1), { timeout: 5_000 })
    expect(await backend.store.readStoredOffset(0)).toBe(0)
    expect(await valuesOf(backend, 'out')).toEqual(['1'])
  })

  it('stop clearing for an owner that has lost the partition meanwhile', async () => {
    const { store } = await openBackend(await temporaryDirectory())
    await store.fence(0, 'owner')
    await store.save(0, save(1, ids))
    const clearing = store.clear(0, 'owner')
    const refused = expect(clearing).rejects.toMatchObject({ code: 'STORE_FENCED' })
    await vi.waitFor(async () => expect(await store.readStoredOffset(0)).toBe(0), { interval: 1 })
    await store.fence(0, 'owner-2')
    await refused
    expect((await store.load(0, ids)).some(found => found !== undefined)).toBe(true)
    await store.clear(0, 'owner-2')
    expect((await store.load(0, ids)).every(found => found === undefined)).toBe(true)
  })

  it('can be 30 in one process', async () => {
    const backend = await openBackend(await temporaryDirectory())
    for (let i = 0; i < 30; i++) {
      const { store } = await backend.inNamespace(`namespace-${i}`)
      await store.claimPartitions(i + 1)
      expect(await store.partitions()).toBe(i + 1)
    }
    expect(await backend.store.partitions()).toBeUndefined()
  })
})

describe('a batch of the embedded backend', () => {
  it('is not written at all if the store refuses it', async () => {
    const backend = await openBackend(await temporaryDirectory())
    await backend.log.append([record('1'), record('2')])
    await backend.store.fence(0, 'owner')
    const thrown: unknown[] = []
    await backend.log.consume({
      group: 'g',
      topics: ['in'],
      batchSize: 10,
      handler: {
        ...idle,
        process: async (session, records) => {
          const expectedStoredOffset = thrown.length === 0 ? 77 : 0
          await backend.commitFlush(session, batchOf(records, { expectedStoredOffset })).catch(error => {
            thrown.push(error)
            throw error
          })
        },
      },
    })
    await vi.waitFor(async () => expect(await valuesOf(backend, 'out')).toHaveLength(2), { timeout: 5_000 })
    expect(thrown).toMatchObject([{ code: 'STORE_MOVED' }])
    expect((await backend.store.readPartition(0)).storedOffset).toBe(2)
  })

  it('is not written at all if another process has taken over the log', async () => {
    const environment = await openLmdbEnvironment(await temporaryDirectory())
    const log = new EmbeddedLog(environment, { partitions: 1 })
    const store = new LmdbStore(environment)
    onTestFinished(async () => {
      await log.close()
      await environment.close()
    })
    await store.fence(0, 'owner')
    const codes: string[] = []
    const consumption = await log.consume({
      group: 'g',
      topics: ['in'],
      batchSize: 10,
      handler: {
        ...idle,
        process: async (session, records) => {
          takeOver(environment)
          const { outputs, nextOffset, write } = batchOf(records, {})
          const save = store.prepareSave(0, write)
          await log.commitTogether(session, outputs, nextOffset, save).catch(error => {
            codes.push(error.code)
            throw error
          })
        },
      },
    })
    await log.append([record('1')])
    await vi.waitFor(() => expect(consumption.problem()).toMatch(/4711 on elsewhere/), { timeout: 5_000 })
    expect(codes).toEqual(['LOG_FENCED'])
    expect(await valuesOf({ log }, 'out')).toEqual([])
    expect((await store.readPartition(0)).storedOffset).toBe(0)
  })
})

describe('the embedded pair among processes', { timeout: 60_000 }, () => {
  beforeAll(bundleChild, 60_000)

  it('keeps outputs, consumed offset, state and stored offset consistent, wherever a process is killed', async () => {
    const directory = await temporaryDirectory()
    const count = 60_000
    const filling = await openEmbeddedBackend({ directory, partitions: 1 })
    await filling.log.append(Array.from({ length: count }, (_, i) => record(`${i}`)))
    await filling.close()
    // It appends all the time, and so meets the write lock that a killed process held.
    const bystander = startChild('bystand', directory)
    const bystanderExit = once(bystander, 'exit')

    let durable = 0
    for (let round = 0; round < 8; round++) {
      const said = await runUntilKilled(directory, 40 + 35 * round)
      const assigned = said.find(line => line.assigned)?.assigned
      expect(assigned?.storedOffset).toBe(assigned?.committedOffset)
      expect(assigned?.committedOffset).toBeGreaterThanOrEqual(durable)
      durable = Math.max(durable, ...said.map(line => line.durable ?? 0))

      const backend = await openEmbeddedBackend({ directory, partitions: 1 })
      const committed = await committedOffset(backend)
      expect(committed).toBeGreaterThanOrEqual(durable)
      const { storedOffset, state } = await backend.store.readPartition(0)
      expect(storedOffset).toBe(committed)
      // A process that is killed before its first batch leaves nothing.
      const expected = committed === 0 ? [] : [String(committed)]
      expect([state].flatMap(bytes => (bytes ? [String(bytes)] : []))).toEqual(expected)
      const counter = await backend.store.load(0, ['counter'])
      expect(counter.flatMap(bytes => (bytes ? [String(bytes)] : []))).toEqual(expected)
      expect(await backend.store.due(0, [0], committed)).toEqual(expected.map(() => 'counter'))
      expect(await backend.store.countDue(0, Number.POSITIVE_INFINITY)).toBe(expected.length)
      const outputs = await valuesOf(backend, 'out')
      expect(outputs).toHaveLength(committed)
      expect(outputs.every((value, i) => value === `${i}`)).toBe(true)
      await backend.close()
    }
    expect(durable).toBeGreaterThan(0)

    bystander.kill('SIGTERM')
    expect(await bystanderExit).toEqual([0, null])
  })

  it('lets one process consume until it is gone', async () => {
    const directory = await temporaryDirectory()
    const child = startChild('hold', directory)
    const exit = once(child, 'exit')
    await once(createInterface(child.stdout!), 'line')
    const backend = await openBackend(directory)
    const options = { group: 'g', topics: ['in'], handler: idle, batchSize: 1 }
    await expect(backend.log.consume(options)).rejects.toMatchObject({
      code: 'LOG_FENCED',
      message: expect.stringContaining(`Process ${child.pid}`),
    })
    await backend.log.append([record('appending is no consuming')])
    // It is not known which groups another process consumes.
    expect((await backend.log.group('g', 'in')).isConsuming).toBe(true)
    await expect(backend.log.deleteGroup('g')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })

    child.kill('SIGKILL')
    await exit
    expect((await backend.log.group('g', 'in')).isConsuming).toBe(false)
    await backend.log.consume(options)
    expect((await backend.log.group('g', 'in')).isConsuming).toBe(true)
    expect((await backend.log.group('other', 'in')).isConsuming).toBe(false)
  })

  it('lets other processes append while it consumes, and gives no offset twice', async () => {
    const directory = await temporaryDirectory()
    const backend = await openBackend(directory)
    const seen: LogRecord[] = []
    await backend.log.consume({
      group: 'g',
      topics: ['in'],
      batchSize: 50,
      handler: committing(async records => {
        seen.push(...records)
      }),
    })
    const children = [startChild('append', directory), startChild('append', directory)]
    const exits = children.map(child => once(child, 'exit'))
    for (let i = 0; i < 50; i++) {
      await backend.log.append(Array.from({ length: 20 }, (_, j) => record(`parent-${i * 20 + j}`)))
    }
    expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0])
    await vi.waitFor(() => expect(seen).toHaveLength(3_000), { timeout: 10_000 })
    expect(seen.map(each => each.offset)).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
    const own = seen.map(each => String(each.value)).filter(value => value.startsWith('parent'))
    expect(own).toEqual(Array.from({ length: 1_000 }, (_, i) => `parent-${i}`))
  })
})

const idle: PartitionHandler = {
  assigned: async session => session.committedOffset,
  process: async () => {},
  released: () => {},
}

function committing(work: (records: readonly LogRecord[]) => Promise<void>): PartitionHandler {
  return {
    ...idle,
    process: async (session: PartitionSession, records: RecordList) => {
      await work([...records])
      await session.commit([], records.at(-1)!.offset + 1)
    },
  }
}

function batchOf(records: RecordList, { expectedStoredOffset = 0 }: { expectedStoredOffset?: number }) {
  const nextOffset = records.at(-1)!.offset + 1
  return {
    outputs: Array.from(records, ({ key, value }) => ({ topic: 'out', key, value })),
    nextOffset,
    write: {
      fencingToken: 'owner',
      expectedStoredOffset,
      storedOffset: nextOffset,
      state: undefined,
      accounts: [],
      userChunks: [],
      counters: [],
    },
  }
}

function record(value: string) {
  return { topic: 'in', key: 'k', value }
}

async function openBackend(directory: string): Promise<Backend> {
  const backend = await openEmbeddedBackend({ directory, partitions: 1 })
  onTestFinished(() => backend.close())
  return backend
}

async function valuesOf(backend: Pick<Backend, 'log'>, topic: string): Promise<string[]> {
  const values: string[] = []
  for await (const { value } of backend.log.readAll(topic)) values.push(String(value))
  return values
}

/** The offsets that a session of the child's group sees. */
async function committedOffset(backend: Backend): Promise<number> {
  let committed: number | undefined
  const handler = {
    ...idle,
    assigned: async (session: PartitionSession) => {
      committed = session.committedOffset
      return session.endOffset
    },
  }
  const consumption = await backend.log.consume({ group: 'scorer', topics: ['in'], handler, batchSize: 1 })
  await consumption.stop()
  return committed!
}

/** Claims like `claimConsuming` in a container that shares the directory. */
function takeOver(environment: LmdbEnvironment): void {
  const row = { token: 'other', pid: 4711, host: 'elsewhere', startedAt: null }
  environment.meta.putSync(Buffer.from('consuming-process'), Buffer.from(JSON.stringify(row)))
}

interface ChildLine {
  readonly durable?: number
  readonly assigned?: { readonly storedOffset: number; readonly committedOffset: number }
}

/** Lets a child commit batches, kills it `afterMs` after it has begun, and returns its output. */
async function runUntilKilled(directory: string, afterMs: number): Promise<ChildLine[]> {
  const child = startChild('commit', directory)
  const exit = once(child, 'exit')
  const said: ChildLine[] = []
  for await (const line of createInterface(child.stdout!)) {
    const value = JSON.parse(line) as ChildLine
    said.push(value)
    if (value.assigned !== undefined) {
      void setTimeout(afterMs).then(() => child.kill('SIGKILL'))
    }
  }
  await exit
  return said
}

function startChild(command: string, directory: string): ChildProcess {
  const child = spawn(process.execPath, [childScript, command, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

const repository = fileURLToPath(new URL('../..', import.meta.url))
const childDirectory = join(tmpdir(), `embedded-child-${process.pid}`)
const childScript = join(childDirectory, 'embedded-child.mjs')

/** Node 20 does not run TypeScript. */
async function bundleChild(): Promise<() => Promise<void>> {
  await build({
    configFile: false,
    root: repository,
    logLevel: 'error',
    build: {
      ssr: 'test/contract/embedded-child.ts',
      outDir: childDirectory,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'embedded-child.mjs' } },
    },
  })
  // There the child finds lmdb.
  await symlink(join(repository, 'node_modules'), join(childDirectory, 'node_modules'))
  return () => rm(childDirectory, { recursive: true, force: true })
}

function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'upswell-embedded-'))
}

async function temporaryDirectory(): Promise<string> {
  const directory = await makeDirectory()
  // Registered first, so that the directory is removed after everything in it was closed.
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}
