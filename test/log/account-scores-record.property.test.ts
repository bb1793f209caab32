import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hash128Hex } from '../../src/lib/hash.ts'
import { accountScoresRecord } from '../../src/log/account-scores-record.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import type { Account } from '../../src/scoring/account.ts'

const TOPICS = topicNames('')
const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('"', '\\', '\u2028'))
const time = fc.integer({ min: 0, max: Date.UTC(2100, 0) })
const standing = fc.record({
  id: text,
  version: fc.integer({ min: 1 }),
  tierName: text,
  score: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constant(-0)),
  coverage: fc.double({ min: 0, max: 1, noNaN: true }),
  tierSince: time,
  changedAt: time,
  cause: fc.record(
    { type: fc.constantFrom('signal', 'late', 'window'), signalId: text },
    { requiredKeys: ['type'] },
  ),
})

it('writes the same value as JSON.stringify, with its id', () => {
  fc.assert(
    fc.property(text, time, fc.array(standing, { maxLength: 3 }), (id, clock, standings) => {
      const account = {
        id,
        activity: { clock },
        standings: standings.map(({ id: modelId, version, tierName, ...rest }) => ({
          ...rest,
          tier: 1,
          model: { definition: { id: modelId, version, tiers: [{ name: 'lowest' }, { name: tierName }] } },
        })),
      } as unknown as Account
      const record = accountScoresRecord(TOPICS, account, '3:7')
      const scores = standings.map(({ id: modelId, version, tierName, ...rest }) => ({
        modelId,
        modelVersion: version,
        score: rest.score,
        tier: tierName,
        tierSince: new Date(rest.tierSince).toISOString(),
        coverage: rest.coverage,
        changedAt: new Date(rest.changedAt).toISOString(),
        cause: rest.cause,
      }))
      const hash = hash128Hex('account-scores', id, clock, JSON.stringify(scores))
      const at = new Date(clock).toISOString()
      expect(record.value).toBe(JSON.stringify({ id: hash, accountId: id, at, scores }))
      expect(record).toMatchObject({ key: id, topic: TOPICS['account-scores'], timestamp: clock })
      expect(record.headers).toMatchObject({ ce_id: hash, ce_subject: id, ce_time: at, ce_sequence: '3:7' })
    }),
  )
})
