import { UpswellError } from '../../lib/errors.ts'
import { REPLAY_ROLES } from '../../log/topic-settings.ts'
import { copyGroup, scoreGroup } from './lineage-names.ts'
import type { Lineages } from './lineages.ts'

/**
 * Deletes a replay: its topics, its groups, and its namespace of the store. If it was interrupted, call it
 * again.
 * @throws UpswellError INVALID_SETTINGS: it serves, is in use, or does not exist; LOG_UNAVAILABLE,
 * STORE_UNAVAILABLE
 */
export async function dropReplay(lineages: Lineages, name: string): Promise<void> {
  const { names, backend } = await lineages.replay(name)
  const { log, store } = backend
  const refuse = (why: string) => new UpswellError('INVALID_SETTINGS', `${name} is not dropped: ${why}`)
  const topics = REPLAY_ROLES.map(role => names.topics[role])
  const there = new Set(await log.topics())
  const existing = topics.filter(topic => there.has(topic))
  if (existing.length === 0 && (await store.partitions()) === undefined)
    throw refuse(`there is no replay of this name ("upswell replay list" shows them)`)
  for (
    let lineage = await lineages.writtenSuccessor(lineages.original);
    lineage !== undefined;
    lineage = await lineages.writtenSuccessor(lineage)
  )
    if (lineage.names.namespace === names.namespace)
      throw refuse('it was promoted: its log says what is or was served')
  const groups = [copyGroup(names), scoreGroup(names)]
  for (const group of groups)
    if (there.has(names.topics.signals) && (await log.group(group, names.topics.signals)).isConsuming)
      throw refuse(`a process works on it (the group ${group}); stop "upswell replay --into ${name}" first`)
  // Before the log: a new replay of this name would continue after what the old group had copied.
  for (const group of groups) await log.deleteGroup(group)
  // The log goes last: as long as it exists, the replay can be found.
  await store.drop()
  await log.deleteTopics(existing.filter(topic => topic !== names.topics.signals))
  await log.deleteTopics(existing.filter(topic => topic === names.topics.signals))
}
