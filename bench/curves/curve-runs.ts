import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelSource } from '../../src/models/model-library.ts'
import type { AccountStore } from '../../src/store/store.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import type { BenchServers } from '../machine/bench-servers.ts'
import { createSignalsTopic, type Installation, newInstallation } from '../machine/installation.ts'
import { runScoring } from '../score/score-run.ts'
import { recordsOf } from '../signals/fill-log.ts'
import { type FilledTopic, fillTopic } from '../signals/signal-topic.ts'
import { benchSignals } from '../signals/signals.ts'
import type { Curve, CurvePoint } from './curves.ts'

/** The cost of one run at one point. */
export interface PointRun {
  readonly signalsPerSecond: number
  readonly cpuSecondsPerMillion: number
  readonly redisCpuSecondsPerMillion: number
  readonly peakRssBytes: number
  readonly redisPeakBytes: number
  /** Accounts in the store at the end. */
  readonly accounts: number
  /** How many bytes the store grew by. */
  readonly storeBytes: number
}

export interface MeasuredPoint {
  readonly x: number
  readonly runs: readonly PointRun[]
}

export interface MeasuredCurve {
  readonly curve: Curve
  readonly lines: readonly { readonly label: string; readonly points: readonly MeasuredPoint[] }[]
}

/** How often `onStep` is called: for each topic that is filled, and for each run. */
export function stepsOfCurve(curve: Curve, rounds: number): number {
  const points = curve.lines.flatMap(line => line.points)
  return new Set(points.map(contentOf)).size + rounds * points.length
}

/** Runs all points in each round, so that a disturbance affects all of them. */
export async function measureCurve(
  servers: BenchServers,
  curve: Curve,
  rounds: number,
  threads: number,
  onStep: (done: string) => void,
): Promise<MeasuredCurve> {
  const directory = await mkdtemp(join(tmpdir(), 'upswell-bench-curve-'))
  const contents = new Map<string, Content>()
  try {
    const lines = curve.lines.map(({ label, points }) => ({
      label,
      points: points.map(point => ({ point, x: point.x, runs: [] as PointRun[] })),
    }))
    const all = lines.flatMap(({ label, points }) => points.map(point => ({ ...point, label })))
    for (const { point } of all) {
      const key = contentOf(point)
      if (contents.has(key)) continue
      contents.set(key, await fillContent(servers, point, join(directory, `models-${contents.size}`)))
      onStep(`${curve.id}: made ${point.signals.count} signals`)
    }
    for (let round = 1; round <= rounds; round++) {
      for (const { point, runs, label } of all) {
        runs.push(await runPoint(servers, point, threads, contents.get(contentOf(point))!))
        onStep(`${curve.id} ${point.x}, ${label}, round ${round}`)
      }
    }
    return { curve, lines }
  } finally {
    for (const { installation } of contents.values())
      await servers.log.deleteTopics(Object.values(installation.topics))
    await rm(directory, { recursive: true })
  }
}

interface Content {
  readonly installation: Installation
  readonly filled: FilledTopic
  /** The folder with the model files. */
  readonly models: string
}

/** Points that score the same log share this key. */
function contentOf({ signals, models }: CurvePoint): string {
  return JSON.stringify([signals, models])
}

async function fillContent(
  { brokers, log }: BenchServers,
  { signals, models }: CurvePoint,
  prefix: string,
): Promise<Content> {
  const installation = newInstallation(brokers)
  await createSignalsTopic(installation)
  const records = recordsOf(benchSignals(signals), 'wall')
  const filled = await fillTopic(log, installation.topics.signals, models, records)
  return { installation, filled, models: await writeModels(prefix, models) }
}

async function writeModels(prefix: string, models: readonly ModelSource[]): Promise<string> {
  const files = models.map((_, i) => `${prefix}-${i}.yaml`)
  for (const [i, { text }] of models.entries()) await writeFile(files[i]!, text)
  return files.join(',')
}

async function runPoint(
  servers: BenchServers,
  { processes, settings }: CurvePoint,
  threads: number,
  { installation, filled, models }: Content,
): Promise<PointRun> {
  const run = await runScoring(servers, {
    installation,
    filled,
    processes,
    threads,
    settings: { UPSWELL_MODELS: models, ...settings },
    inspect: ({ store }) => countAccounts(store),
  })
  const perMillion = (seconds: number): number => (seconds / filled.signals) * 1e6
  return {
    signalsPerSecond: filled.signals / run.seconds,
    cpuSecondsPerMillion: perMillion(run.scoringCpuSeconds),
    redisCpuSecondsPerMillion: perMillion(run.redisCpuSeconds),
    peakRssBytes: run.peakRssBytes,
    redisPeakBytes: run.redisPeakBytes,
    accounts: run.found,
    storeBytes: run.storeBytes,
  }
}

/** Every account is due at some time or never; both are below infinity. */
export async function countAccounts(store: AccountStore): Promise<number> {
  let accounts = 0
  for (let partition = 0; partition < PARTITIONS; partition++)
    accounts += await store.countDue(partition, Number.POSITIVE_INFINITY)
  return accounts
}
