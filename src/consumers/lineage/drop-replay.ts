import { UpswellError } from '../../lib/errors.ts'
import { REPLAY_ROLES } from '../../log/topic-settings.ts'
import { copyGroup, scoreGroup } from './lineage-names.ts'
import type { FoundLineage, Lineages } from './lineages.ts'
import { requireNotForeign } from './replay-record.ts'

/** A replay that may be dropped. */
export interface PreparedDrop {
  readonly replay: FoundLineage
  /** Those that exist. */
  readonly topics: readonly string[]
  readonly groups: readonly string[]
}

/**
 * Checks that a replay may be deleted now, and changes nothing.
 * @throws UpswellError INVALID_SETTINGS: it serves, is in use, is no replay, or does not exist;
 * LOG_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function prepareDrop(lineages: Lineages, name: string): Promise<PreparedDrop> {
  const replay = await lineages.replay(name)
  const { names, backend } = replay
  const { log, store } = backend
  const refuse = (why: string) => new UpswellError('INVALID_SETTINGS', `${name} is not dropped: ${why}`)
  const topics = REPLAY_ROLES.map(role => names.topics[role])
  const there = new Set(await log.topics())
  const existing = topics.filter(topic => there.has(topic))
  if (existing.length === 0 && (await store.partitions()) === undefined)
    throw refuse(`there is no replay of this name ("upswell replay list" shows them)`)
  await requireNotForeign(log, names.topics.signals, name)
  for (
    let lineage = await lineages.writtenSuccessor(lineages.original);
    lineage !== undefined;
    lineage = await lineages.writtenSuccessor(lineage)
  )
    if (lineage.names.namespace === names.namespace)
      throw refuse('it was promoted; its log names the lineage that serves')
  const groups = [copyGroup(names), scoreGroup(names)]
  for (const group of groups)
    if (there.has(names.topics.signals) && (await log.group(group, names.topics.signals)).isConsuming)
      throw refuse(`a process works on it (the group ${group}); stop "upswell replay --into ${name}" first`)
  return { replay, topics: existing, groups }
}

/**
 * Deletes a replay: its topics, its groups, and its namespace of the store. If it was interrupted, call it
 * again.
 * @throws UpswellError as `prepareDrop`
 */
export async function dropReplay(lineages: Lineages, name: string): Promise<void> {
  const { replay, topics, groups } = await prepareDrop(lineages, name)
  const { log, store } = replay.backend
  const { signals } = replay.names.topics
  // Before the log: a new replay of this name would continue after what the old group had copied.
  for (const group of groups) await log.deleteGroup(group)
  // The log goes last: as long as it exists, the replay can be found.
  await store.drop()
  await log.deleteTopics(topics.filter(topic => topic !== signals))
  await log.deleteTopics(topics.filter(topic => topic === signals))
}
