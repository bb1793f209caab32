import { describe, expect, test } from 'vitest'
import type { AccountParity } from '../../../src/consumers/parity/account-parity.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { dueBucketOf } from '../../../src/scoring/due-slices.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { at, model, models, signal, tick } from '../../support/small-histories.ts'
import { PARTITION, ParityWorld } from './parity-world.ts'

const ACCOUNTS = ['acme', 'bolt', 'cora']

/** Three accounts under a model. On each of three days, each has a signal from a new user. */
async function smallWorld({ checkpointing = false } = {}): Promise<ParityWorld> {
  const world = new ParityWorld({ checkpointing })
  world.append([models(at(0), model())])
  await world.score()
  for (const day of [1, 2, 3]) {
    world.append(ACCOUNTS.map(accountId => of(accountId, day)))
    world.append([tick(at(day, 23))])
    await world.score()
  }
  return world
}

function of(accountId: string, day: number, change: Partial<Signal> = {}) {
  return signal(at(day), { accountId, userId: `u${day}`, ...change })
}

function outcomes(checked: readonly AccountParity[]): string {
  return checked.map(({ accountId, outcome }) => `${accountId} ${outcome}`).join(', ')
}

function reasons(checked: readonly AccountParity[]): Set<string> {
  return new Set(checked.map(account => (account.outcome === 'unknown' ? account.reason : account.outcome)))
}

/** The signals of an account as records of the log. */
function signalsOf(world: ParityWorld, accountId: string): LogRecord[] {
  return world.signals.filter(({ key }) => key?.toString() === accountId)
}

/** The record with an unreadable value. */
function spoilt(record: LogRecord): LogRecord {
  return { ...record, value: Buffer.from('?') }
}

/** Scores a log with one changed record, then shows the original log. */
async function scoredOtherwise(index: number, other: (record: LogRecord) => LogRecord): Promise<ParityWorld> {
  const world = new ParityWorld({ checkpointing: false })
  const honest = (await smallWorld()).signals
  const record = honest.filter(({ key }) => key?.toString() === 'bolt')[index]!
  world.signals.push(...honest.map(each => (each === record ? other(record) : each)))
  // The random models' library numbers its models. This one needs the same numbers.
  world.library.sourceFor(model())
  await world.score()
  world.signals.splice(0, honest.length, ...honest)
  return world
}

describe('a check finds', () => {
  test('nothing if nothing is wrong', async () => {
    const world = await smallWorld()
    expect(outcomes(await world.check())).toBe('acme equal, bolt equal, cora equal')
  })

  test.each([0, 1, 2])('a missed signal: number %i of three', async index => {
    const world = await scoredOtherwise(index, spoilt)
    const checked = await world.check()
    expect(outcomes(checked)).toBe('acme equal, bolt different, cora equal')
    const [record, last] = [signalsOf(world, 'bolt')[index]!, signalsOf(world, 'bolt').at(-1)!]
    expect(checked[1]).toMatchObject({
      recomputedLastOffset: last.offset,
      ...(record === last ? { storedLastOffset: signalsOf(world, 'bolt')[1]!.offset } : {}),
    })
  })

  test.each([0, 1, 2])('a signal that was applied twice: number %i of three', async index => {
    const world = new ParityWorld({ checkpointing: false })
    const honest = (await smallWorld()).signals
    const record = honest.filter(({ key }) => key?.toString() === 'bolt')[index]!
    // It has an id of its own: a repeated id would change nothing.
    const again = String(record.value).replace(/"id":"[^"]+"/, '"id":"again"')
    const free = honest.at(-1)!.offset + 1
    world.signals.push(...honest, { ...record, offset: free, value: Buffer.from(again) })
    world.library.sourceFor(model())
    await world.score()
    world.signals[honest.length] = spoilt(world.signals[honest.length]!)
    const checked = await world.check()
    expect(outcomes(checked)).toBe('acme equal, bolt different, cora equal')
    expect(checked[1]).toMatchObject({
      storedLastOffset: free,
      recomputedLastOffset: signalsOf(world, 'bolt')[2]!.offset,
    })
  })

  test.each([false, true])('a lost user chunk (with checkpoints: %s)', async checkpointing => {
    const world = await smallWorld({ checkpointing })
    world.store.lostChunks.add('cora/0')
    const checked = await world.check()
    expect(outcomes(checked)).toBe('acme equal, bolt equal, cora different')
    expect(checked[2]).toMatchObject({
      differences: [{ part: { chunk: '0' }, stored: undefined, recomputed: expect.any(Uint8Array) }],
    })
  })

  test('an account with only its name left, and one that is not in the log', async () => {
    const world = await smallWorld()
    world.store.cores.set('acme', undefined)
    const { storedOffset } = await world.store.fence(PARTITION, 'somebody')
    await world.store.save(PARTITION, {
      fencingToken: 'somebody',
      expectedStoredOffset: storedOffset,
      storedOffset,
      state: undefined,
      accounts: [
        {
          accountId: 'dodo',
          bytes: await world.coreOf('bolt'),
          bucket: dueBucketOf('dodo'),
          dueAt: Number.POSITIVE_INFINITY,
          listingsRemoved: [],
          listingsAdded: [],
        },
      ],
      userChunks: [],
      counters: [],
    })
    const checked = await world.check()
    expect(outcomes(checked)).toBe('acme different, bolt equal, cora equal, dodo different')
    expect(checked[0]).toMatchObject({ storedLastOffset: undefined })
    expect(checked[3]).toMatchObject({ recomputedLastOffset: undefined })
  })

  test('no difference if the checkpoint has the same error; the log alone shows it', async () => {
    const world = await smallWorld({ checkpointing: true })
    expect(reasons(await world.check())).toEqual(new Set(['equal']))
    // An error from before the checkpoint is in the checkpoint too. Only the whole log shows it.
    const first = signalsOf(world, 'bolt')[0]!
    const other = String(first.value).replace('report.exported', 'seat.invited')
    world.signals[world.signals.indexOf(first)] = { ...first, value: Buffer.from(other) }
    expect(outcomes(await world.check())).toBe('acme equal, bolt equal, cora equal')
    expect(outcomes(await world.check({ from: 'beginning' }))).toBe('acme equal, bolt different, cora equal')
  })
})

describe('users in many chunks', () => {
  test.each([false, true])('are recomputed as stored (with checkpoints: %s)', async checkpointing => {
    const world = new ParityWorld({ checkpointing })
    world.append([models(at(0), model())])
    let user = 0
    for (let day = 1; day <= 8; day++) {
      const users = Array.from({ length: 60 }, () => `u${user++}`)
      // Some earlier users come again, even after there are more chunks.
      const again = Array.from({ length: 10 }, (_, i) => `u${(i * 37) % user}`)
      world.append([...users, ...again].map(userId => of('acme', day, { userId })))
      // A user seen again on the same day: only the set of requested users changes.
      world.append([of('acme', day, { userId: `u${day}`, occurredAt: at(1) })])
      await world.score(day % 3 === 0)
    }
    expect(
      (await world.store.loadUserChunks(PARTITION, [{ accountId: 'acme', chunk: '1.a' }]))[0],
    ).toBeDefined()
    expect(outcomes(await world.check())).toBe('acme equal')
    world.store.lostChunks.add('acme/1.a')
    expect(outcomes(await world.check())).toBe('acme different')
  })
})

test('does not miss an intermediate chunk that always equalled its share of the chunk above', async () => {
  const world = new ParityWorld({ checkpointing: false })
  const users = Array.from({ length: 129 }, (_, i) => `u${i}`)
  world.append([models(at(0), model()), ...users.map(userId => of('acme', 1, { userId }))])
  await world.score()
  // Now there is one more level. The user was seen on that day before.
  world.append([of('acme', 2, { userId: 'u0', occurredAt: at(1) })])
  await world.score()
  expect(outcomes(await world.check())).toBe('acme equal')
})

describe('a check reports unknown', () => {
  test('if the log begins late and there is no checkpoint', async () => {
    const world = await smallWorld()
    world.firstOffset = 4
    expect(reasons(await world.check())).toEqual(
      new Set(['signals begins at offset 4, and there is no checkpoint']),
    )
  })

  test('if the log begins after the newest checkpoint', async () => {
    const world = await smallWorld({ checkpointing: true })
    world.firstOffset = world.signals.at(-1)!.offset + 1
    expect(reasons(await world.check())).toEqual(
      new Set([
        expect.stringMatching(/^signals begins at offset \d+, and the newest checkpoint is at offset \d+$/),
      ]),
    )
  })

  test('if retention deletes records while they are read', async () => {
    const world = await smallWorld()
    world.beforeRead = () => {
      world.firstOffset = 6
    }
    expect(reasons(await world.check())).toEqual(
      new Set(['signals begins at offset 6, and there is no checkpoint']),
    )
  })

  test('if the log ends before the stored offset', async () => {
    const world = await smallWorld()
    world.signals.length -= 3
    expect(reasons(await world.check())).toEqual(
      new Set([expect.stringMatching(/^signals ends at offset \d+, and the store holds records up to \d+$/)]),
    )
  })

  test('while the store is being filled', async () => {
    const world = await smallWorld()
    world.store.readPartition = async () => ({ storedOffset: 0, state: undefined })
    expect(reasons(await world.check())).toEqual(new Set(['the store is being filled again']))
  })

  test('after a replay is promoted: from then on its store is compared', async () => {
    const world = await smallWorld()
    world.appendPromotion('default')
    await world.score()
    expect(reasons(await world.check())).toEqual(new Set(['equal']))
    world.appendPromotion('default/v2')
    world.append([of('acme', 4)])
    await world.score()
    expect(reasons(await world.check())).toEqual(
      new Set(['default/v2 was promoted: nothing is scored here any more']),
    )
  })

  test('for an account that changes whenever it is read', async () => {
    const world = await smallWorld()
    let reads = 0
    world.store.beforeLoad = async () => {
      if (reads++ % 2 === 0) return
      world.store.beforeLoad = async () => {}
      world.append([of('bolt', 4)])
      await world.score()
      world.store.beforeLoad = again
    }
    const again = world.store.beforeLoad
    expect(await world.check()).toMatchObject([
      { accountId: 'acme', outcome: 'equal' },
      {
        accountId: 'bolt',
        outcome: 'unknown',
        reason: 'it was changed each of the 5 times that it was read',
      },
      { accountId: 'cora', outcome: 'equal' },
    ])
  })

  test('for an account whose record a checkpoint under way has replaced', async () => {
    const world = await smallWorld({ checkpointing: true })
    const { checkpoints } = world
    const head = checkpoints.findLastIndex(({ key }) => key?.toString() === 'partition')
    const own = (record: LogRecord) => record.key?.toString() === 'account:cora'
    const last = checkpoints.slice(0, head).findLast(own)!
    const kept = checkpoints.filter((record, i) => i > head || !own(record))
    checkpoints.splice(0, checkpoints.length, ...kept, { ...last, offset: checkpoints.at(-1)!.offset + 1 })
    expect(await world.check()).toMatchObject([
      { accountId: 'acme', outcome: 'equal' },
      { accountId: 'bolt', outcome: 'equal' },
      {
        accountId: 'cora',
        outcome: 'unknown',
        reason: expect.stringMatching(/^a newer checkpoint than the one at offset \d+ is being written$/),
      },
    ])
  })
})

test('compares each account that changes meanwhile as of the time at which it was read', async () => {
  const world = await smallWorld()
  const changes = [of('bolt', 4), of('acme', 4)]
  const { store } = world
  const readPartition = store.readPartition.bind(store)
  store.readPartition = async partition => {
    const change = changes.shift()
    if (change !== undefined) {
      world.append([change])
      await world.score()
    }
    return await readPartition(partition)
  }
  expect(outcomes(await world.check())).toBe('acme equal, bolt equal, cora equal')
  expect(changes).toEqual([])
})

test('handles other accounts that return the partition to history after the record that ended it', async () => {
  const world = await smallWorld()
  world.append([of('bolt', 4)], { clock: 'event' })
  world.appendLive()
  world.append([of('bolt', 5)], { clock: 'event' })
  // Time passes for nobody while history is loaded.
  world.append([tick(at(60))], { tickClock: 'wall' })
  await world.score()
  world.store.due = async () => ['acme']
  expect(outcomes(await world.check())).toBe('acme equal')
})

test('ignores a checkpoint that is ahead of the store', async () => {
  const world = await smallWorld({ checkpointing: true })
  const behind = await smallWorld()
  // The store lost its data and is being folded from the beginning.
  const { store } = behind
  const checkpoint = world.checkpoints.find(({ key }) => key?.toString() === 'partition')!
  const head = JSON.parse(String(checkpoint.value)) as object
  const value = Buffer.from(JSON.stringify({ ...head, cut: 10_000, pieces: 0 }))
  behind.checkpoints.push({ ...checkpoint, offset: 0, value })
  expect((await store.readPartition(PARTITION)).storedOffset).toBeLessThan(10_000)
  expect(outcomes(await behind.check())).toBe('acme equal, bolt equal, cora equal')
})

describe('the sampled accounts', () => {
  test('are as many as requested, each once, and differ each time', async () => {
    const world = new ParityWorld({ checkpointing: false })
    const names = Array.from({ length: 400 }, (_, i) => `account-${i}`)
    world.append([models(at(0), model()), ...names.map(name => of(name, 1))])
    await world.score()
    const seen = new Set<string>()
    for (let check = 0; check < 20; check++) {
      const ids = (await world.check({ count: 10 })).map(({ accountId }) => accountId)
      expect(new Set(ids).size).toBe(10)
      for (const id of ids) seen.add(id)
    }
    expect(seen.size).toBeGreaterThan(100)
    expect(await world.check({ count: 1000 })).toHaveLength(400)
  })

  test('are none in an empty store', async () => {
    expect(await new ParityWorld({ checkpointing: false }).check()).toEqual([])
  })
})
