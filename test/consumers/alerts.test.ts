import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { PACKAGE_ROOT, readConfig } from '../../src/app/config.ts'
import { startService } from '../../src/app/service.ts'
import type { StoreResult } from '../../src/store/meter-store.ts'

/** What a call of the store can end with. */
const RESULTS: readonly StoreResult[] = ['done', 'refused', 'unavailable']
const RULES = 'deploy/prometheus-alerts.yml'
const RUNBOOK = 'docs/runbook.md'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

const { groups } = parse(await readFile(join(PACKAGE_ROOT, RULES), 'utf8')) as {
  groups: { name: string; rules: Alert[] }[]
}
const alerts = groups.flatMap(({ rules }) => rules)

/** The metric names in an expression, without labels, ranges, functions and numbers. */
function metricsIn(expression: string): string[] {
  const bare = expression
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring) \([^)]*\)/g, '')
  return [...bare.matchAll(/[a-z_:][a-z0-9_:]*(?![a-z0-9_:]| *\()/gi)]
    .map(([name]) => name)
    .filter(name => !['and', 'or', 'unless'].includes(name))
}

/** `metric{label="value"}` as [metric, label, value]. Skips patterns. */
function matchersIn(expression: string): [metric: string, label: string, value: string][] {
  return [...expression.matchAll(/([a-z_:][a-z0-9_:]*)\{([^}]*)\}/gi)].flatMap(([, metric, labels]) =>
    [...labels!.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]): [string, string, string] => [
      metric!,
      label!,
      value!,
    ]),
  )
}

describe('the alerts', { timeout: 60_000 }, () => {
  let exposed: string
  let folder: string
  let stop = async (): Promise<void> => {}

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'upswell-alerts-'))
    const service = await startService({
      config: readConfig({ UPSWELL_DATA_DIR: folder, UPSWELL_PORT: '0', UPSWELL_PARTITIONS: '1' }),
      roles: new Set(['ingest', 'score', 'api'] as const),
      logger: { info: () => {}, warn: () => {}, error: () => {} },
    })
    stop = () => service.stop()
    await service.ready()
    exposed = await (await fetch(`${service.url}/metrics`)).text()
  }, 60_000)

  afterAll(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Includes the series that Prometheus makes of a histogram. */
  function exposedNames(): Set<string> {
    const types = [...exposed.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    return new Set(
      types.flatMap(([, name, type]) =>
        type === 'histogram' ? ['_bucket', '_count', '_sum'].map(end => name! + end) : [name!],
      ),
    )
  }

  test.each(alerts.map(rule => [rule.alert, rule] as const))('%s uses existing metrics', (_, { expr }) => {
    const names = metricsIn(expr)
    expect(names).not.toEqual([])
    const known = exposedNames()
    expect(names.filter(name => !known.has(name))).toEqual([])
    for (const [metric, label, value] of matchersIn(expr)) {
      const series = exposed.split('\n').filter(line => line.startsWith(`${metric}{`))
      // A counter has no series before its first event, and a result none before it occurs.
      if (series.length > 0 && !RESULTS.includes(value as StoreResult))
        expect(series.join('\n')).toContain(`${label}="${value}"`)
    }
  })

  test('a ready service reports no problem', () => {
    const problems = exposed.split('\n').filter(line => line.startsWith('upswell_problems{'))
    expect(problems).toEqual(
      ['ingest', 'score', 'store', 'log', 'filling', 'api', 'clock'].map(
        part => `upswell_problems{part="${part}"} 0`,
      ),
    )
  })
})

describe('the runbook', () => {
  test('has a section for every alert, and an alert for every such section', async () => {
    const [, section] = (await readFile(join(PACKAGE_ROOT, RUNBOOK), 'utf8')).split(/^## Alerts$/m)
    const headings = [...section!.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading!)
    expect(headings).toEqual(alerts.map(({ alert }) => alert))
  })

  test.each(alerts.map(rule => [rule.alert, rule] as const))('is linked from %s', (name, rule) => {
    expect(rule.annotations).toEqual({
      summary: expect.stringMatching(/\S/),
      description: expect.stringMatching(/\S/),
      runbook_url: `${RUNBOOK}#${name.toLowerCase()}`,
    })
    expect(['critical', 'warning']).toContain(rule.labels.severity)
  })
})
