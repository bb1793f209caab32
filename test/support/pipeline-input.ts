import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { eventRecord } from '../../src/log/output-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary, type ModelSource } from '../../src/models/model-library.ts'
import { sampleHistory } from '../../src/sample/past-signals.ts'
import { parseSignal } from '../../src/signals/parse-signal.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { foldHistory } from './fold-history.ts'
import type { Outputs } from './run-pipeline.ts'
import { type HistoryRecord, slowEvaluate, withoutIds } from './slow/slow-evaluator.ts'

export const MODELS: readonly ModelSource[] = [
  'models/expansion-revenue-score.yaml',
  'bench/rolling-score.yaml',
].map(file => ({
  file,
  text: readFileSync(join(PACKAGE_ROOT, file), 'utf8'),
}))

/** `TEST_SIGNALS=FILE.jsonl[.gz]` replaces the generated signals. */
export function pipelineSignals(accounts: number, days: number): readonly Signal[] {
  const file = process.env['TEST_SIGNALS']
  if (file === undefined)
    return sampleHistory({ seed: 3, accounts, days, until: Date.parse('2026-03-04T15:00:00Z') })
  const bytes = readFileSync(resolve(PACKAGE_ROOT, file))
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const parsed = parseSignal(Buffer.from(line), {
        observedAt: Number.MAX_SAFE_INTEGER,
        defaultKind: undefined,
        place: 'edge',
      })
      if ('rejection' in parsed) throw new Error(`${line}: ${parsed.rejection.detail}`)
      return parsed.signal
    })
}

/**
 * The log that `runPipeline` makes, as a history for the evaluators: the models, the signals, a tick after
 * each half.
 */
function historyOf(signals: readonly Signal[]): HistoryRecord[] {
  const library = new ModelLibrary()
  const models = library.compileAll(MODELS).map(({ definition }) => definition)
  const half = Math.floor(signals.length / 2)
  const records = (part: readonly Signal[]): HistoryRecord[] =>
    part.map(signal => ({ timestamp: signal.occurredAt, signal }))
  const tick = (part: readonly Signal[]): HistoryRecord => ({
    timestamp: Math.max(...part.map(({ occurredAt }) => occurredAt)),
    tick: true,
  })
  const [first, second] = [signals.slice(0, half), signals.slice(half)]
  return [
    { timestamp: signals[0]!.occurredAt, models },
    ...records(first),
    tick(first),
    ...records(second),
    tick(second),
  ]
}

/**
 * The expected outputs: the bytes that the pure fold gives for the log. `sameEvents` compares the fold with
 * the slow evaluator, which shares nothing with it.
 */
export function expectedOutputs(
  signals: readonly Signal[],
  sameEvents: (fold: unknown, slow: unknown) => void,
): Outputs {
  const history = historyOf(signals)
  const { events } = foldHistory([history])
  sameEvents(withoutIds(events), withoutIds(slowEvaluate(history).events))
  const topics = topicNames('')
  const collect = (type: string) => {
    const byAccount = new Map<string, string[]>()
    for (const event of events) {
      if (event.type !== type) continue
      byAccount.set(event.accountId, [
        ...(byAccount.get(event.accountId) ?? []),
        String(eventRecord(topics, event, '').value),
      ])
    }
    return new Map([...byAccount].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return { tierChanges: collect('tier-change'), pqlEvents: collect('pql') }
}

export function countValues(byAccount: ReadonlyMap<string, readonly string[]>): number {
  return [...byAccount.values()].reduce((sum, values) => sum + values.length, 0)
}
