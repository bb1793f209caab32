import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDifferent, type RunDiff } from '../../analysis/run-diff.ts'
import { type Config, readConfig } from '../../app/config.ts'
import { isEmbedded, openBackend } from '../../app/open-backend.ts'
import { formatRunDiff, type RunDiffHead } from '../../console/print-run-diff.ts'
import type { Backend } from '../../consumers/backend.ts'
import { type LineageNames, originalNames, replayNames } from '../../consumers/lineage/lineage-names.ts'
import { type Replay, readReplay } from '../../consumers/lineage/replay-record.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { Log } from '../../log/log.ts'
import { topicNames } from '../../log/topic-names.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import { lineLogger } from '../line-logger.ts'
import { writeOut } from '../write-out.ts'
import { compareTopics } from './replay-diff-events.ts'
import { runDiffJson } from './replay-diff-json.ts'
import { isBehind } from './replay-diff-progress.ts'

export interface ReplayDiffOptions {
  /** Rows of each list in the text. */
  readonly limit: number
  readonly json?: true
  readonly exitCode?: true
}

/**
 * `upswell replay diff NAME`: what the replay published differently from what is live. Writes nothing. Returns the exit code: 0; with `exitCode` 1 if
 * anything differs.
 * @throws UpswellError INVALID_SETTINGS: there is no such replay; LOG_UNAVAILABLE, STORE_UNAVAILABLE, INPUT_UNREADABLE
 */
export async function diffReplay(name: string, options: ReplayDiffOptions): Promise<number> {
  const config = readConfig()
  // Opening would make the folder.
  if (isEmbedded(config) && !existsSync(join(config.dataDir, 'data.mdb'))) throw noReplay(name, [], config)
  const backend = await openBackend(config, lineLogger(config.logLevel))
  try {
    const place = replayNames(config, name)
    const replay = await readReplay(backend.log, place.topics.signals)
    if (replay === undefined) throw noReplay(name, await replaysIn(backend.log, config), config)
    const diff = await compare(backend, config, place, replay)
    await tell(diff, options, config)
    return options.exitCode === true && isDifferent(diff.diff) ? 1 : 0
  } finally {
    await backend.close()
  }
}

interface ReplayDiff {
  readonly head: RunDiffHead
  readonly diff: RunDiff
}

async function compare(
  backend: Backend,
  config: Config,
  names: LineageNames,
  replay: Replay,
): Promise<ReplayDiff> {
  const { log } = backend
  const models = replay.models === null ? null : modelsOf(replay.models)
  const topics = { live: liveNames(config).topics, replay: names.topics }
  const diff = await compareTopics(log, topics, { from: replay.from, to: replay.to }, models)
  const { to } = diff.window
  const own = await backend.inNamespace(names.namespace)
  try {
    const head: RunDiffHead = {
      replay: replay.name,
      isCut: to !== replay.to,
      isBehind: to !== null && (await isBehind({ log, store: own.store, names, replay }, to)),
      models: models ?? [],
    }
    return { head, diff }
  } finally {
    await own.close()
  }
}

/** What subscribers read now. */
function liveNames(config: Config): LineageNames {
  return originalNames(config)
}

function modelsOf(sources: NonNullable<Replay['models']>): ModelDefinition[] {
  return new ModelLibrary().compileAll(sources).map(({ definition }) => definition)
}

async function tell(
  { head, diff }: ReplayDiff,
  { json, limit }: ReplayDiffOptions,
  config: Config,
): Promise<void> {
  if (json === true) {
    for (const text of runDiffJson(head, diff)) await writeOut(text)
    return
  }
  const look = {
    color: process.stdout.isTTY === true && !config.noColor,
    width: process.stdout.columns ?? Number.POSITIVE_INFINITY,
    limit,
  }
  await writeOut(`${formatRunDiff(head, diff, look)}\n`)
}

/** The names of all replays of this installation. */
async function replaysIn(log: Log, config: Config): Promise<string[]> {
  const suffix = `.${topicNames('').signals}`
  const names: string[] = []
  for (const topic of (await log.topics()).sort()) {
    if (!topic.endsWith(suffix)) continue
    const replay = await readReplay(log, topic)
    // Another installation on the same brokers has other names.
    if (replay !== undefined && replayNames(config, replay.name).topics.signals === topic)
      names.push(replay.name)
  }
  return names
}

function noReplay(name: string, names: readonly string[], config: Config): UpswellError {
  const place = isEmbedded(config) ? config.dataDir : `the log of ${config.kafkaBrokers.join(', ')}`
  const found =
    names.length === 0
      ? 'there is none; begin one with "upswell replay --into NAME"'
      : `those that there are: ${names.join(', ')}`
  return new UpswellError(
    'INVALID_SETTINGS',
    `${place} holds no replay named ${JSON.stringify(name)}; ${found}`,
  )
}
