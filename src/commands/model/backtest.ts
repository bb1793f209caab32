import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Backtest } from '../../analysis/backtest.ts'
import type { BacktestReport } from '../../analysis/backtest-report.ts'
import { type Config, readConfig } from '../../app/config.ts'
import { isEmbedded, openServed } from '../../app/open-backend.ts'
import { readModelFile } from '../../app/read-model-files.ts'
import { type BacktestHead, formatBacktest } from '../../console/print-backtest.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { DAY_MS } from '../../signals/time.ts'
import { lineLogger } from '../line-logger.ts'
import { progressBar } from '../progress-bar.ts'
import { writeOut } from '../write-out.ts'
import { type HistoryItem, signalsOfFile, signalsOfLog } from './backtest-signals.ts'

export interface BacktestCommandOptions {
  readonly model: string
  /** Of canonical signals; undefined: the log is read. */
  readonly file?: string
  readonly horizonDays: number
  readonly won: readonly string[]
  readonly json?: true
}

/** How many of the lines that are no signals are told one by one. */
const LINES_TOLD = 20

/**
 * `upswell backtest --model FILE`: how well a model's tiers and PQLs preceded wins, in the log or a file. Writes nothing there. Returns the exit code:
 * 0; 1 if there are no wins, or lines of the file are no signals.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS, INPUT_UNREADABLE, LOG_UNAVAILABLE, TOPIC_MISSING
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
    source: options.file ?? placeOf(config),
    horizonDays: options.horizonDays,
    won: options.won,
    leftOut,
  }
  if (options.json === true) await writeOut(`${asJson(head, report)}\n`)
  else {
    const context = {
      color: process.stdout.isTTY === true && !config.noColor,
      width: process.stdout.columns ?? Number.POSITIVE_INFINITY,
    }
    await writeOut(`${formatBacktest(head, report, context)}\n`)
  }
  if (report.wins.count === 0) process.stderr.write(`upswell: ${adviceWithoutWins(head, report)}\n`)
  // What the log holds beside signals went to dead-letter long ago; in a file it is the caller's to mend.
  const isIncomplete = options.file !== undefined && leftOut > 0
  return report.wins.count === 0 || isIncomplete ? 1 : 0
}

/** Returns how many lines or records were left out, as no signals. */
async function readInto(test: Backtest, { file }: BacktestCommandOptions, config: Config): Promise<number> {
  if (file !== undefined) return await fold(test, signalsOfFile(file), true)
  // Opening would make the folder.
  if (isEmbedded(config) && !existsSync(join(config.dataDir, 'data.mdb'))) return 0
  const backend = await openServed(config, lineLogger(config.logLevel), new ModelLibrary())
  try {
    return await fold(test, signalsOfLog(backend.log, backend.topics.signals), false)
  } finally {
    await backend.close()
  }
}

async function fold(test: Backtest, items: AsyncIterable<HistoryItem>, isFile: boolean): Promise<number> {
  const bar = progressBar('reading', 'signals')
  const told: string[] = []
  let signals = 0
  let rejected = 0
  try {
    for await (const item of items) {
      if (item.type === 'signal') {
        test.receive(item.signal, item.timestamp)
        bar.update(++signals)
      } else if (item.type === 'time') test.passTime(item.time)
      else if (++rejected <= LINES_TOLD && isFile) told.push(`${item.where}: ${item.why}`)
    }
  } finally {
    bar.stop()
    for (const line of told) process.stderr.write(`error: ${line}\n`)
    if (isFile && rejected > told.length)
      process.stderr.write(`error: … and ${rejected - told.length} more lines\n`)
  }
  return rejected
}

function adviceWithoutWins({ source, won }: BacktestHead, { signals }: BacktestReport): string {
  const names = won.join(' or ')
  const example =
    '{"id":"won-1","kind":"outcome","name":"deal.won","accountId":"acme","occurredAt":"2026-01-31T12:00:00Z"}'
  const found =
    signals === 0 ? `there are no signals in ${source}` : `${source} holds no outcome named ${names}`
  return `${found}, so there is nothing to compare scores with; send each win as a signal such as ${example}, or name those that there are with --won`
}

/** Without user and password: brokers have none in their names. */
function placeOf(config: Config): string {
  return isEmbedded(config) ? config.dataDir : `the log of ${config.kafkaBrokers.join(', ')}`
}

/** Described in docs/backtest-a-model.md. */
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
