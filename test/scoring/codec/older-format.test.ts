import { expect, test } from 'vitest'
import type { Account } from '../../../src/scoring/account.ts'
import { NO_MODELS } from '../../../src/scoring/account.ts'
import { NOTHING_DROPPED } from '../../../src/scoring/activity/activity.ts'
import {
  decodeAccount,
  encodeAccount,
  isOlderFormat,
  lastOffsetIn,
} from '../../../src/scoring/codec/codec.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import type { LogEntry } from '../../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { DAY_MS } from '../../../src/signals/time.ts'

// Version 2 of the codec was the format of the releases before accounts had extras.
const NOW = Date.UTC(2026, 8, 1, 12)
const WRITTEN_BY_VERSION_2 =
  '02040080d4dce6853402000000000000f07f000000d6a10101010000000215696e74656e743a70726963696e672e76696577656403d9a10101c41303e4a81e01c4131575736167653a7265706f72742e6578706f7274656403d6a10101c413000201d9a1010101d6a10101010553616c6573d6a10100000000020d636f6e74726163742e706c616e030370726f0180d4dce68534000e636f6e74726163742e736561747301280180d4dce6853401012880d4dce685340387f6f120f7aaa0ab80d4dce68534d8ba873d741ae10500a7e9aa47b41d521800'

const SIGNALS: readonly Signal[] = [
  signal('s1', 'usage', 'report.exported', NOW - 3 * DAY_MS, { team: 'Sales' }),
  signal('s2', 'intent', 'pricing.viewed', NOW, {}),
  signal('s3', 'contract', 'contract', NOW, { seats: 40, plan: 'pro' }),
  signal('s4', 'usage', 'report.exported', NOW - 500 * DAY_MS, {}),
]

function signal(
  id: string,
  kind: Signal['kind'],
  name: string,
  occurredAt: number,
  properties: Signal['properties'],
): Signal {
  return {
    id,
    kind,
    name,
    accountId: 'acme',
    userId: 'u1',
    quantityThousandths: 2500,
    properties,
    occurredAt,
  }
}

function folded(): Account {
  const entries = SIGNALS.map(
    (each, offset): LogEntry => ({ type: 'signal', offset, timestamp: NOW, signal: each, history: false }),
  )
  const accounts = new Map<string, Account>()
  foldBatch(entries, createPartitionMemory(), accounts)
  return accounts.get('acme')!
}

test('reads an account of version 2, and writes it as the present version', () => {
  const old = Buffer.from(WRITTEN_BY_VERSION_2, 'hex')
  expect(isOlderFormat(old)).toBe(true)
  expect(lastOffsetIn('acme', old)).toBe(3)
  const account = decodeAccount('acme', old, [NO_MODELS])
  expect(account.activity.dropped['too-old']).toBe(1)
  const written = encodeAccount(account)
  expect(isOlderFormat(written)).toBe(false)
  expect(Buffer.from(written).toString('hex')).toBe(Buffer.from(encodeAccount(folded())).toString('hex'))
})

test('an account of version 2 is live', () => {
  const account = decodeAccount('acme', Buffer.from(WRITTEN_BY_VERSION_2, 'hex'), [NO_MODELS])
  expect(account.historyOffset).toBe(-1)
})

test('an account in history keeps its offset, and a live one spends no byte on it', () => {
  const account = folded()
  account.activity.dropped = NOTHING_DROPPED
  const live = encodeAccount(account).length
  for (const historyOffset of [0, 1, 300, 2 ** 40]) {
    const bytes = encodeAccount({ ...account, historyOffset })
    expect(decodeAccount('acme', bytes, [NO_MODELS]).historyOffset).toBe(historyOffset)
    expect(bytes.length).toBeGreaterThan(live)
  }
})

test('an account that dropped nothing takes fewer bytes than before', () => {
  const account = folded()
  account.activity.dropped = NOTHING_DROPPED
  expect(encodeAccount(account).length).toBe(WRITTEN_BY_VERSION_2.length / 2 - 3)
})
