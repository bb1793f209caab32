import { hash128Hex } from '../lib/hash.ts'
import type { Account } from '../scoring/account.ts'
import { perModel } from '../scoring/population/per-model.ts'
import type { Standing } from '../scoring/standing.ts'
import { isoTime } from '../signals/iso-time.ts'
import type { OutgoingRecord } from './log.ts'
import { cloudEventHeaders } from './output-records.ts'
import type { TopicNames } from './topic-names.ts'

/**
 * The latest scores of an account, for the compacted topic: schemas/account-scores.schema.json. Nearly every
 * flushed account has one, so the JSON is joined from texts. Objects and `JSON.stringify` took half as long
 * again.
 */
export function accountScoresRecord(topics: TopicNames, account: Account, sequence: string): OutgoingRecord {
  const { id: accountId, standings } = account
  const at = account.activity.clock
  let scores = '['
  for (let i = 0; i < standings.length; i++) scores += (i === 0 ? '' : ',') + scoreText(standings[i]!)
  scores += ']'
  // Made once: it is most of the value, and the id is its hash.
  const id = hash128Hex('account-scores', accountId, at, scores)
  return {
    topic: topics['account-scores'],
    key: accountId,
    value: `{"id":"${id}","accountId":${JSON.stringify(accountId)},"at":"${isoTime(at)}","scores":${scores}}`,
    headers: cloudEventHeaders(id, 'com.upswell.account-scores.v1', accountId, at, sequence),
    timestamp: at,
  }
}

function scoreText({ model, score, tier, tierSince, coverage, changedAt, cause }: Standing): string {
  const { head, tiers } = fixedTexts(model)
  const { type, signalId } = cause
  const by = signalId === undefined ? '' : `,"signalId":${JSON.stringify(signalId)}`
  // Scores and coverages are finite: JavaScript and JSON write such numbers the same.
  return `${head}${score}${tiers[tier]!}${isoTime(tierSince)}","coverage":${coverage},"changedAt":"${isoTime(changedAt)}","cause":{"type":"${type}"${by}}}`
}

/** The texts that all scores of a model share. */
interface FixedTexts {
  /** The text before the score. */
  readonly head: string
  /** Tier → the text between the score and `tierSince`. */
  readonly tiers: readonly string[]
}

const fixedTexts = perModel(
  ({ definition: { id, version, tiers } }): FixedTexts => ({
    head: `{"modelId":${JSON.stringify(id)},"modelVersion":${version},"score":`,
    tiers: tiers.map(({ name }) => `,"tier":${JSON.stringify(name)},"tierSince":"`),
  }),
)
