import { UpswellError } from '../../lib/errors.ts'
import type { Log } from '../../log/log.ts'
import { modelsRecord, replayRecord } from '../../log/signals-topic-records.ts'
import { topicsOfReplay } from '../../log/topic-settings.ts'
import type { ModelSource } from '../../models/model-library.ts'
import type { LineageNames } from './lineage-names.ts'
import { type Replay, readReplay, requireNotForeign } from './replay-record.ts'

/**
 * Creates a replay's topics and writes its first record, or finds the replay that was begun before, which
 * must then be the same.
 * @throws UpswellError INVALID_SETTINGS: another replay or installation has this name; PARTITIONS_CHANGED;
 * LOG_UNAVAILABLE
 */
export async function beginReplay(
  log: Log,
  names: LineageNames,
  replay: Replay,
  { partitions, now }: { readonly partitions: number; readonly now: number },
): Promise<{ readonly isNew: boolean }> {
  const { topics } = names
  requireMultiple(replay, partitions)
  const found = await readReplay(log, topics.signals)
  if (found !== undefined) {
    requireSame(found, replay)
    await requirePartitions(log, topics.signals, partitions)
    return { isNew: false }
  }
  await requireNotForeign(log, topics.signals, replay.name)
  await log.createTopics(topicsOfReplay(topics, partitions))
  await requirePartitions(log, topics.signals, partitions)
  // All records or none: a process that dies before this leaves empty topics, and the next one uses them.
  await log.append(
    Array.from({ length: partitions }, (_, partition) => [
      replayRecord(topics.signals, partition, now, replay),
      ...(replay.models === null ? [] : [modelsRecord(topics.signals, partition, now, replay.models)]),
    ]).flat(),
  )
  return { isNew: true }
}

function requireSame(found: Replay, wanted: Replay): void {
  const differing = (['from', 'to', 'models', 'origin', 'latest'] as const).filter(
    key => canonical(found[key]) !== canonical(wanted[key]),
  )
  if (differing.length === 0) return
  const differences = differing.map(
    key => `${key}: it has ${describe(found[key])}, not ${describe(wanted[key])}`,
  )
  throw new UpswellError(
    'INVALID_SETTINGS',
    `the replay ${wanted.name} was begun with other options (${differences.join('; ')}). Repeat them to continue it, choose another name, or "upswell replay drop ${wanted.name}" first`,
  )
}

type Option = Replay['models' | 'from' | 'origin' | 'latest']

/** Without the file names of models: they decide nothing. */
function canonical(value: Option): string {
  return JSON.stringify(isModels(value) ? value.map(({ text }) => text) : (value ?? null))
}

function describe(value: Option): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value === 'number') return new Date(value).toISOString()
  if (isModels(value)) return value.map(({ file }) => file).join(', ')
  if ('time' in value) return new Date(value.time).toISOString()
  return `${value.topic} with ${value.partitions} partitions`
}

function isModels(value: Option): value is readonly ModelSource[] {
  return Array.isArray(value)
}

/** Call before any topic is created: topics with a wrong number of partitions would keep the name. */
function requireMultiple({ origin: { partitions } }: Replay, wanted: number): void {
  if (wanted % partitions !== 0)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${wanted} partitions are not a multiple of ${partitions}: a multiple is accepted (${[1, 2, 3, 4].map(times => times * partitions).join(', ')}, …), so that all accounts of a new partition come from one old partition, in its order`,
    )
}

async function requirePartitions(log: Log, topic: string, wanted: number): Promise<void> {
  if (!(await log.topics()).includes(topic)) return
  const found = await log.partitions(topic)
  if (found !== wanted)
    throw new UpswellError(
      'PARTITIONS_CHANGED',
      `${topic} has ${found} partitions, not ${wanted}; give --partitions ${found} to continue this replay, or choose another name`,
    )
}
