import { UpswellError } from '../../lib/errors.ts'
import { answerWithin } from '../../lib/waiting.ts'
import { readPromotion } from '../../log/own-records.ts'
import { readPublishedOffsets } from '../../log/read-published-offsets.ts'
import { CHECKPOINTS, topicNames } from '../../log/topic-names.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import { isBeingFilled, storedOffsetAt } from '../../store/position.ts'
import { findCheckpoint } from '../checkpoints/read-checkpoint.ts'
import { scoreGroup } from './lineage-names.ts'
import type { FoundLineage, Lineages } from './lineages.ts'

// A store that is being filled may still miss a promotion. A command then asks, in this order:
//
//   partition memory in the store
//   partition memory in the newest checkpoint
//   the log, from there to what the store will hold once it is whole

/**
 * The lineage that serves, also while stores are being filled. It may read a whole partition of the log; a
 * process that looks every second uses `Lineages.served`.
 * @throws UpswellError as `findServedSoFar`
 */
export async function findServed(lineages: Lineages): Promise<FoundLineage> {
  return (await findServedSoFar(lineages)).at(-1)!
}

/**
 * All lineages that have served, in this order; the last one serves now.
 * @throws UpswellError STORE_UNAVAILABLE, also if nobody can know before the store is filled;
 * LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function findServedSoFar(lineages: Lineages): Promise<FoundLineage[]> {
  const found = [lineages.original]
  for (;;) {
    const lineage = found.at(-1)!
    const { namespace } = lineage.names
    const promoted = await findPromoted(lineages, lineage, 0, other => other !== namespace)
    if (promoted === undefined) return found
    const next = await lineages.withNamespace(promoted)
    if (!(await serves(lineages, next))) return found
    found.push(next)
  }
}

/** Whether all partitions have reached the promotion. A lineage that was retired since then has served. */
async function serves(lineages: Lineages, lineage: FoundLineage): Promise<boolean> {
  const { names, backend } = lineage
  // An emptied store does not know how many partitions it has.
  const partitions =
    (await backend.store.partitions()) ?? (await backend.log.partitions(names.topics.signals))
  for (let partition = 0; partition < partitions; partition++)
    if ((await findPromoted(lineages, lineage, partition, () => true)) === undefined) return false
  return true
}

/** The namespace that a promotion names, if a whole store of the partition would know such a promotion. */
async function findPromoted(
  lineages: Lineages,
  lineage: FoundLineage,
  partition: number,
  isWanted: (namespace: string) => boolean,
): Promise<string | undefined> {
  const { names, backend } = lineage
  const { log, store } = backend
  const topic = names.topics.signals
  const { promotion } = await lineages.memory(store, partition)
  if (promotion !== undefined && isWanted(promotion.namespace)) return promotion.namespace
  const { stored, whole } = await readLack(lineage, partition)
  if (stored >= whole || !(await hasReplays(lineages))) return undefined
  const checkpoint = await findMemory(lineages, lineage, partition)
  if (checkpoint.promoted !== undefined && isWanted(checkpoint.promoted)) return checkpoint.promoted
  const from = Math.max(stored, checkpoint.cut)
  const first = (await log.ranges(topic)).get(partition)?.first ?? 0
  if (from < first)
    throw unknown(names.namespace, `${topic} partition ${partition} begins at offset ${first}`)
  if (from >= whole) return undefined
  for await (const record of log.read(topic, [{ partition, from, to: whole }])) {
    const promoted = readPromotion(record)?.namespace
    if (promoted !== undefined && isWanted(promoted)) return promoted
  }
  return undefined
}

/** How long the log may take if the store says that it is whole. Then the store alone decides. */
const LOG_PATIENCE_MS = 2_000

/** The offset that the partition is stored up to, and the offset at which it is whole. */
async function readLack(
  { names, backend: { log, store } }: FoundLineage,
  partition: number,
): Promise<{ readonly stored: number; readonly whole: number }> {
  const progress = (await store.readProgress([partition]))[0]!
  const stored = storedOffsetAt(progress.position)
  const asked = readPublishedOffsets(log, scoreGroup(names), names.topics.signals)
  const saysWhole = progress.wholeFrom !== undefined && !isBeingFilled(progress)
  // Only the log knows that a store was emptied, or restored from an old copy.
  const published = saysWhole ? await answerWithin(LOG_PATIENCE_MS, asked) : await asked
  return { stored, whole: Math.max(published?.get(partition) ?? 0, progress.wholeFrom ?? 0) }
}

/** False: nothing can have been promoted. */
async function hasReplays({ original: { names, backend } }: Lineages): Promise<boolean> {
  const own = names.topics.signals
  const suffix = topicNames('').signals
  const prefix = own.slice(0, own.length - suffix.length)
  const topics = await backend.log.topics()
  return topics.some(topic => topic !== own && topic.startsWith(prefix) && topic.endsWith(`.${suffix}`))
}

/** What the newest checkpoint knows; `cut` 0: there is none. */
async function findMemory(
  { library }: Lineages,
  { names, backend: { log } }: FoundLineage,
  partition: number,
): Promise<{ readonly cut: number; readonly promoted: string | undefined }> {
  const topic = names.topics[CHECKPOINTS]
  const isThere = (await log.topics()).includes(topic)
  const found = isThere ? await findCheckpoint(log, topic, partition) : undefined
  if (found === undefined) return { cut: 0, promoted: undefined }
  return {
    cut: found.cut,
    promoted: decodePartitionMemory(Buffer.from(found.state), library).promotion?.namespace,
  }
}

function unknown(namespace: string, found: string): UpswellError {
  return new UpswellError(
    'STORE_UNAVAILABLE',
    `the store of ${namespace} is not whole, and nobody can know before it is whether a replay was promoted: ${found}, and no checkpoint holds what was before it. Run "upswell score", wait until /readyz of the API is 200, and repeat this command; nothing was changed.`,
    { canRetry: true },
  )
}
