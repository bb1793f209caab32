import { Backtest } from '../../analysis/backtest.ts'
import type { BacktestReport } from '../../analysis/backtest-report.ts'
import { type Config, readConfig } from '../../app/config.ts'
import { openServed } from '../../app/open-backend.ts'
import { readModelFile } from '../../app/read-model-files.ts'
import { type BacktestHead, formatBacktest } from '../../console/print-backtest.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { DAY_MS } from '../../signals/time.ts'
import { isNeverStarted, logLocation } from '../data-location.ts'
import { progressBar } from '../progress-bar.ts'
import { RejectedLines } from '../signal-file/signal-file.ts'
import { Survey } from '../signal-file/survey.ts'
import { lineLogger, lookOf, writeOut } from '../terminal.ts'
import { type HistoryItem, signalsOfFile, signalsOfLog } from './backtest-signals.ts'

export interface BacktestCommandOptions {
  readonly model: string
  /** A file of canonical signals. Undefined: the log. */
  readonly file?: string
  readonly horizonDays: number
  readonly won: readonly string[]
  readonly json?: true
}

/**
 * `upswell backtest --model FILE`: how well a model's tiers and PQLs preceded wins, in the log or a file. It
 * only reads. Returns the exit code: 0; 1 if there are no wins, or lines of the file are not signals.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS, INPUT_UNREADABLE, INPUT_OUT_OF_ORDER,
 * LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function backtest(options: BacktestCommandOptions): Promise<number> {
  const config = readConfig()
  const model = await readModelFile(options.model, new ModelLibrary())
  const test = new Backtest(model, { won: options.won, horizonMs: options.horizonDays * DAY_MS })
  const leftOut = await readInto(test, options, config)
  const report = test.finish()
  const head: BacktestHead = {
    model: model.definition,
    file: options.model,
    source: options.file ?? logLocation(config),
    horizonDays: options.horizonDays,
    won: options.won,
    leftOut,
  }
  const text = options.json === true ? asJson(head, report) : formatBacktest(head, report, lookOf(config))
  await writeOut(`${text}\n`)
  if (report.wins.count === 0) process.stderr.write(`upswell: ${adviceWithoutWins(head, report)}\n`)
  // Rejected records of the log went to dead-letter long ago. Rejected lines of a file are for the caller to
  // correct.
  const isIncomplete = options.file !== undefined && leftOut > 0
  return report.wins.count === 0 || isIncomplete ? 1 : 0
}

/** Returns how many lines or records were left out because they are not signals. */
async function readInto(test: Backtest, { file }: BacktestCommandOptions, config: Config): Promise<number> {
  if (file !== undefined) {
    const survey = new Survey()
    try {
      await fold(test, signalsOfFile(file, survey), survey.rejected)
    } finally {
      survey.rejected.print(line => process.stderr.write(`error: ${line}\n`))
    }
    return survey.rejected.count
  }
  if (isNeverStarted(config)) return 0
  const backend = await openServed(config, lineLogger(config.logLevel), new ModelLibrary())
  try {
    const rejected = new RejectedLines()
    await fold(test, signalsOfLog(backend.log, backend.topics.signals), rejected)
    return rejected.count
  } finally {
    await backend.close()
  }
}

async function fold(
  test: Backtest,
  items: AsyncIterable<HistoryItem>,
  rejected: RejectedLines,
): Promise<void> {
  const bar = progressBar('reading', 'signals')
  let signals = 0
  try {
    for await (const item of items) {
      if (item.type === 'signal') {
        test.receive(item.signal, item.timestamp)
        bar.update(++signals)
      } else if (item.type === 'time') test.passTime(item.time)
      else rejected.add(item)
    }
  } finally {
    bar.stop()
  }
}

function adviceWithoutWins({ source, won }: BacktestHead, { signals }: BacktestReport): string {
  const names = won.join(' or ')
  const example =
    '{"id":"won-1","kind":"outcome","name":"deal.won","accountId":"acme","occurredAt":"2026-01-31T12:00:00Z"}'
  const found =
    signals === 0 ? `there are no signals in ${source}` : `${source} holds no outcome named ${names}`
  return `${found}, so there is nothing to compare scores with; send each win as a signal such as ${example}, or name your wins with --won`
}

/** docs/backtest-a-model.md describes it. */
function asJson(
  { model, file, source, horizonDays, won, leftOut }: BacktestHead,
  report: BacktestReport,
): string {
  const { from, to, ...rest } = report
  const document = {
    modelId: model.id,
    modelVersion: model.version,
    file,
    source,
    horizonDays,
    won,
    from: isoTime(from),
    to: isoTime(to),
    leftOut,
    ...rest,
  }
  return JSON.stringify(document, undefined, 2)
}

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
