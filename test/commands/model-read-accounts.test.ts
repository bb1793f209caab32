import { describe, expect, test } from 'vitest'
import { readAllAccounts, readOverview } from '../../src/commands/model/read-accounts.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { encodePartitionMemory } from '../../src/models/partition-memory-codec.ts'
import { createAccount, type ModelSet } from '../../src/scoring/account.ts'
import { encodeAccount } from '../../src/scoring/codec/codec.ts'
import { dueBucketOf } from '../../src/scoring/due-slices.ts'
import { indexedDueAt } from '../../src/scoring/history.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import type { StoredPartition } from '../../src/store/store.ts'
import { modelText } from '../models/model-text.ts'
import { MemoryStore } from '../support/memory-store.ts'

const AT = Date.parse('2026-05-20T12:00:00Z')
const library = new ModelLibrary()
const [first, second] = [1, 2].map(version => {
  const text = modelText().replace('version: 1', `version: ${version}`)
  return library.compile({ file: `${version}.yaml`, text })
})
const FIRST: ModelSet = { offset: 0, at: AT, models: [first!] }
const SECOND: ModelSet = { offset: 10, at: AT + 1000, models: [second!] }

/** A store whose models can change between two calls. */
class ChangingStore extends MemoryStore {
  beforeLoad = async (): Promise<void> => {}

  override async load(partition: number, accountIds: readonly string[]) {
    await this.beforeLoad()
    return super.load(partition, accountIds)
  }

  async put(
    partition: number,
    modelSets: ModelSet[],
    set: ModelSet,
    ids: readonly string[],
    history = false,
  ) {
    await this.fence(partition, 'me')
    const inMemory = modelSets.map(each => ({ ...each, liveOffset: -1 }))
    const historyOffset = history ? 0 : -1
    const { storedOffset } = await this.readPartition(partition)
    await this.save(partition, {
      fencingToken: 'me',
      expectedStoredOffset: storedOffset,
      storedOffset: storedOffset + 1,
      state: encodePartitionMemory({ ...createPartitionMemory(), modelSets: inMemory }, library),
      accounts: ids.map(id => ({
        accountId: id,
        bytes: encodeAccount({
          ...createAccount(id, AT, set, { type: 'signal', signalId: 's' }),
          historyOffset,
        }),
        bucket: dueBucketOf(id),
        dueAt: indexedDueAt({ dueAt: Number.POSITIVE_INFINITY, historyOffset }),
        listingsRemoved: [],
        listingsAdded: [],
      })),
      userChunks: [],
      counters: [],
    })
  }
}

async function newStore(): Promise<ChangingStore> {
  const store = new ChangingStore()
  await store.claimPartitions(2)
  return store
}

async function read(store: ChangingStore): Promise<string[]> {
  const found: string[] = []
  for await (const { account, history } of readAllAccounts(store, library)) {
    const versions = account.standings.map(({ model }) => model.definition.version)
    found.push(`${account.id} ${versions}${history ? ' history' : ''}`)
  }
  return found.sort()
}

describe('the accounts in a store', () => {
  test('come from all partitions, each once', async () => {
    const store = await newStore()
    const ids = Array.from({ length: 1200 }, (_, i) => `account-${i}`)
    await store.put(0, [FIRST], FIRST, ids)
    await store.put(1, [SECOND], SECOND, ['other'], true)
    expect(await read(store)).toEqual([...ids.map(id => `${id} 1`), 'other 2 history'].sort())
    expect(await readOverview(store, library)).toEqual({
      accounts: 1201,
      activeModels: [first, second],
      history: true,
    })
  })

  test('are switched to the active models if they were not folded since', async () => {
    const store = await newStore()
    await store.put(0, [FIRST, SECOND], FIRST, ['acme'])
    expect(await read(store)).toEqual(['acme 2'])
  })

  test('are read again if the models change meanwhile', async () => {
    const store = await newStore()
    await store.put(0, [FIRST], FIRST, ['acme'])
    let changes = 0
    store.beforeLoad = async () => {
      if (changes++ === 0) await store.put(0, [SECOND], SECOND, ['acme'])
    }
    expect(await read(store)).toEqual(['acme 2'])
  })

  test('name an account that cannot be read', async () => {
    const store = await newStore()
    await store.put(0, [FIRST], SECOND, ['acme'])
    await expect(read(store)).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      message: expect.stringMatching(/^cannot read the store: .*"acme"/),
    })
  })

  test('are none in an empty store', async () => {
    const store = new ChangingStore()
    expect(await read(store)).toEqual([])
    expect(await readOverview(store, library)).toEqual({ accounts: 0, activeModels: [], history: false })
    expect((await store.readPartition(0)) satisfies StoredPartition).toMatchObject({ storedOffset: 0 })
  })
})
