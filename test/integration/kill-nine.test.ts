import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { DAY_MS } from '../../src/signals/time.ts'
import { buildCli } from '../commands/cli.ts'
import { keepEvidence } from '../support/kill-nine/kill-nine-evidence.ts'
import { MOST_IN_A_BATCH, PARTITIONS, Torture } from '../support/kill-nine/kill-nine-run.ts'
import {
  brief,
  byPartition,
  checkAcknowledged,
  checkIds,
  checkIngested,
  checkLatestScores,
  checkOutputs,
  checkRules,
  checkStore,
  folded,
  readTopics,
  type Topics,
} from '../support/kill-nine/kill-nine-verdict.ts'
import { readRecoveries } from '../support/kill-nine/kill-nine-workers.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'

/**
 * `TORTURE_KILLS=500 TORTURE_SEED=7 npm run torture` sets the number of kills. A seed repeats the plan and
 * the signals, but not the moments of the kills.
 */
const { TORTURE_KILLS, TORTURE_SEED } = process.env
const KILLS = wholeNumber('TORTURE_KILLS', TORTURE_KILLS ?? '20')
const SEED = wholeNumber('TORTURE_SEED', TORTURE_SEED ?? String(Date.now() % 1_000_000))
/** The approximate time of a run for each kill. */
const MS_PER_KILL = 8_000
const TIMEOUT_MS = 2 * (240_000 + KILLS * MS_PER_KILL)

describe.skipIf((await missingForMaven()) !== undefined)('workers killed with -9 under load', () => {
  test(`after ${KILLS} kills no output is lost or doubled, and the store equals a fold of the log`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { say, sayAll } = startReport()
    await awaitRoomBeforeMidnight(say)
    const torture = await Torture.start({ main: await buildCli(), kills: KILLS, seed: SEED, say })
    onTestFinished(() => torture.stop())
    let read: Topics | undefined
    try {
      await torture.run()
      expect(await torture.end()).toEqual([0, 0])
      say('the log was read to its end')
      read = await readTopics(torture.backend, torture.topics)
      await judge(torture, read, say)
    } catch (error) {
      say(`the evidence is in ${await keepEvidence(torture.workers, read)}`)
      throw error
    } finally {
      sayAll()
    }
  })
})

async function judge(torture: Torture, read: Topics, say: (line: string) => void): Promise<void> {
  const { backend, topics, load, workers, counts } = torture
  const context = { library: new ModelLibrary(), partitions: PARTITIONS, topics }
  const lists = byPartition(read.get(topics.signals)!, PARTITIONS)
  const folds = folded(context, lists)
  const offsets = lists.map(records => records.map(({ offset }) => offset))
  const { alarming, ...recoveries } = readRecoveries(workers, offsets, MOST_IN_A_BATCH)
  say(JSON.stringify({ ...counts, ...recoveries }))
  say([...read].map(([topic, { length }]) => `${topic} ${length}`).join(', '))

  expect(brief(checkAcknowledged(read, load.acknowledged))).toEqual([])
  expect(brief(checkIngested(read, topics))).toEqual([])
  expect(brief(checkOutputs(read, topics, folds))).toEqual([])
  expect(brief(checkIds(read, topics))).toEqual([])
  expect(brief(checkLatestScores(read, topics, folds))).toEqual([])
  expect(brief(await checkStore(backend, folds))).toEqual([])
  say('outputs and store equal the plain fold')
  expect(brief(checkRules(context, lists, folds))).toEqual([])
  say('the outputs follow the rules')
  expect(brief([...alarming])).toEqual([])
}

function wholeNumber(variable: string, text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new Error(`${variable} is ${JSON.stringify(text)}; a whole number is accepted`)
  return Number(text)
}

/**
 * The processes' clocks differ a little. If a record stamped before midnight follows a tick stamped after it,
 * the rules page and the fold assign different days. So no run begins shortly before a UTC midnight.
 */
async function awaitRoomBeforeMidnight(say: (line: string) => void): Promise<void> {
  const leftMs = DAY_MS - (Date.now() % DAY_MS)
  if (KILLS > 100 || leftMs > 120_000 + KILLS * MS_PER_KILL) return
  say(`waiting for midnight to pass: ${Math.ceil(leftMs / 1000)} s`)
  await sleep(leftMs + 10_000)
}

/** Prints each line at once if someone asked for it by hand, else everything at the end. */
function startReport(): { readonly say: (line: string) => void; readonly sayAll: () => void } {
  const startedAt = performance.now()
  const lines = [`TORTURE_SEED=${SEED} TORTURE_KILLS=${KILLS}`]
  const isByHand = TORTURE_KILLS !== undefined
  if (isByHand) console.log(lines[0])
  return {
    say: line => {
      lines.push(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)
      if (isByHand) console.log(lines.at(-1))
    },
    sayAll: () => {
      if (!isByHand) console.log(lines.join('\n'))
    },
  }
}
