import { UpswellError } from '../../lib/errors.ts'
import type { OutgoingRecord } from '../../log/log.ts'
import { promotionRecord } from '../../log/signals-topic-records.ts'
import { versionsOf } from '../../scoring/partition-memory.ts'
import { findServed } from './find-served.ts'
import type { FoundLineage, Lineages } from './lineages.ts'
import { readProgress, replayLocation } from './replay-progress.ts'
import { readReplay } from './replay-record.ts'

/**
 * Subscribers wait while a promoted replay catches up, so it may not be further behind than this many
 * records.
 */
const MOST_BEHIND = 10_000

/** A promotion that is allowed, but not written. */
export interface PreparedPromotion {
  readonly promoted: FoundLineage
  /** The lineage that serves now. */
  readonly served: FoundLineage
  /** How many records the replay is behind the log. */
  readonly behind: number
  /** One for each partition of the serving log. */
  readonly records: readonly OutgoingRecord[]
}

/**
 * Writes a replay's promotion into each partition of the serving lineage's log. The old lineage publishes the
 * events before that record, the replay's lineage those after it: all processes agree, and each event is
 * published once. Returns when the records are written; the scorers act on them.
 * @throws UpswellError as `preparePromotion`
 */
export async function writePromotion(lineages: Lineages, name: string, now: number): Promise<FoundLineage> {
  const { promoted, records } = await preparePromotion(lineages, name, now)
  await promoted.backend.log.append(records)
  return promoted
}

/**
 * Checks that a replay can be promoted now, and changes nothing.
 * @throws UpswellError INVALID_SETTINGS: no such replay, or it cannot be promoted; LOG_UNAVAILABLE,
 * STORE_UNAVAILABLE
 */
export async function preparePromotion(
  lineages: Lineages,
  name: string,
  now: number,
): Promise<PreparedPromotion> {
  const promoted = await lineages.replay(name)
  const served = await findServed(lineages)
  const { log } = promoted.backend
  const { topics, namespace } = promoted.names
  const refuse = (why: string) => new UpswellError('INVALID_SETTINGS', `${name} cannot be promoted: ${why}`)
  const replay = await readReplay(log, topics.signals)
  if (replay === undefined) throw refuse(`there is no replay of this name ("upswell replay list" shows them)`)
  if (served.names.namespace === namespace) throw refuse('it serves already')
  const next = await lineages.writtenSuccessor(served)
  if (next !== undefined)
    throw refuse(
      `the promotion of ${next.names.namespace} is written already, and ${served.names.namespace} has not reached it in all of its partitions yet; "upswell score" continues it`,
    )
  if (replay.origin.namespace !== served.names.namespace)
    throw refuse(
      `it reads the log of ${replay.origin.namespace}, but ${served.names.namespace} serves now; begin another replay`,
    )
  if (replay.from !== null || replay.to !== null)
    throw refuse(
      'it was begun with --from or --to, so it holds only a part of the log; a replay without them is accepted',
    )
  const { left } = await readProgress(replayLocation(promoted, replay))
  if (left > MOST_BEHIND)
    throw refuse(
      `it is ${left} records behind the log; let "upswell replay --into ${name}" run until it has caught up (${MOST_BEHIND} are accepted)`,
    )
  const records: OutgoingRecord[] = []
  for (let partition = 0; partition < replay.origin.partitions; partition++) {
    const { modelSets, promotion } = await lineages.memory(served.backend.store, partition)
    // Subscribers still know an account that is not announced yet from the lineage before the served one. The
    // next lineage would compare it with the wrong standings.
    if (promotion?.isComplete === false)
      throw refuse(
        `${served.names.namespace} has not announced all of its accounts since its own promotion yet; that takes seconds while "upswell score" runs`,
      )
    let { models } = modelSets.at(-1)!
    for await (const entry of lineages.unscored(served, partition))
      if (entry.type === 'models') models = entry.models
    const replaced = {
      replacedModels: models.map(({ contentHash }) => contentHash),
      replacedVersions: Object.fromEntries(versionsOf(models)),
    }
    records.push(promotionRecord(replay.origin.topic, partition, now, { namespace, ...replaced }))
  }
  return { promoted, served, behind: left, records }
}
