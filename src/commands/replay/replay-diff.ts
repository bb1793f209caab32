import { isDifferent, type RunDiff } from '../../analysis/run-diff.ts'
import { type Config, readConfig } from '../../app/config.ts'
import { openBackend } from '../../app/open-backend.ts'
import { formatRunDiff, type RunDiffHead } from '../../console/print-run-diff.ts'
import type { Backend } from '../../consumers/backend.ts'
import { type LineageNames, originalNames, replayNames } from '../../consumers/lineage/lineage-names.ts'
import { type Replay, readReplay } from '../../consumers/lineage/replay-record.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { Log } from '../../log/log.ts'
import { topicNames } from '../../log/topic-names.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import { isNeverStarted, logLocation } from '../data-location.ts'
import { lineLogger, lookOf, writeOut } from '../terminal.ts'
import { isBehind } from './replay-behind.ts'
import { compareTopics } from './replay-diff-events.ts'
import { runDiffJson } from './replay-diff-json.ts'

export interface ReplayDiffOptions {
  /** The most rows of each list in the text. */
  readonly limit: number
  readonly json?: true
  readonly exitCode?: true
}

/**
 * `upswell replay diff NAME`: what the replay published differently from what is live. It only reads. Returns
 * the exit code: 0; with `exitCode` 1 if anything differs.
 * @throws UpswellError INVALID_SETTINGS: there is no such replay; LOG_UNAVAILABLE, STORE_UNAVAILABLE,
 * INPUT_UNREADABLE
 */
export async function diffReplay(name: string, options: ReplayDiffOptions): Promise<number> {
  const config = readConfig()
  if (isNeverStarted(config)) throw noReplay(name, [], config)
  const backend = await openBackend(config, lineLogger(config.logLevel))
  try {
    const names = replayNames(config, name)
    const replay = await readReplay(backend.log, names.topics.signals)
    if (replay === undefined) throw noReplay(name, await replaysIn(backend.log, config), config)
    const diff = await compare(backend, config, names, replay)
    await report(diff, options, config)
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
  // Subscribers read the topics of the original lineage, whichever lineage serves.
  const topics = { live: originalNames(config).topics, replay: names.topics }
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

function modelsOf(sources: NonNullable<Replay['models']>): ModelDefinition[] {
  return new ModelLibrary().compileAll(sources).map(({ definition }) => definition)
}

async function report(
  { head, diff }: ReplayDiff,
  { json, limit }: ReplayDiffOptions,
  config: Config,
): Promise<void> {
  if (json === true) {
    for (const text of runDiffJson(head, diff)) await writeOut(text)
    return
  }
  await writeOut(`${formatRunDiff(head, diff, { ...lookOf(config), limit })}\n`)
}

/** The names of all replays of this installation. */
async function replaysIn(log: Log, config: Config): Promise<string[]> {
  const suffix = `.${topicNames('').signals}`
  const names: string[] = []
  for (const topic of (await log.topics()).sort()) {
    if (!topic.endsWith(suffix)) continue
    const replay = await readReplay(log, topic)
    // Another installation on the same brokers has other topic names.
    if (replay !== undefined && replayNames(config, replay.name).topics.signals === topic)
      names.push(replay.name)
  }
  return names
}

function noReplay(name: string, names: readonly string[], config: Config): UpswellError {
  const found =
    names.length === 0
      ? 'there is none; begin one with "upswell replay --into NAME"'
      : `it holds: ${names.join(', ')}`
  return new UpswellError(
    'INVALID_SETTINGS',
    `${logLocation(config)} holds no replay named ${JSON.stringify(name)}; ${found}`,
  )
}
