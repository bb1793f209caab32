import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { type ExportedMetric, exportedMetrics } from './exported-metrics.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly runbook_url: string }
}
interface AlertTest {
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
}

const DEPLOY = join(PACKAGE_ROOT, 'deploy')
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8')
const { groups } = parse(read('prometheus-alerts.yml')) as { groups: readonly { rules: readonly Rule[] }[] }
const { tests } = parse(read('prometheus-alerts.test.yml')) as { tests: readonly AlertTest[] }
const rules = groups.flatMap(group => group.rules)
const runbook = readFileSync(join(PACKAGE_ROOT, 'docs/runbook.md'), 'utf8')

function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Where the integration tests must run, these must too. */
const isRequired = process.env['UPSWELL_REQUIRE_INTEGRATION'] === '1'

describe('promtool', () => {
  test.skipIf(!isRequired && !hasPromtool())(
    'accepts the alerts, and each of their unit tests passes (needs promtool, of the Debian package prometheus)',
    async () => {
      const promtool = (...args: string[]) => promisify(execFile)('promtool', args, { cwd: DEPLOY })
      expect((await promtool('check', 'rules', 'prometheus-alerts.yml')).stdout).toContain('SUCCESS')
      expect((await promtool('test', 'rules', 'prometheus-alerts.test.yml')).stdout).toContain('SUCCESS')
    },
  )
})

describe.each(rules)('$alert', ({ alert, expr, labels, annotations }) => {
  let exported: ReadonlyMap<string, ExportedMetric>
  beforeAll(async () => {
    exported = new Map((await exportedMetrics()).map(metric => [metric.name, metric]))
  })

  test('has a unit test in which it fires, and one in which it does not', () => {
    const cases = tests
      .flatMap(each => each.alert_rule_test)
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => exp_alerts.length > 0)
    expect(new Set(cases)).toEqual(new Set([true, false]))
  })

  test('is critical or a warning, and has a section in the runbook', () => {
    expect(['critical', 'warning']).toContain(labels.severity)
    expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`)
    expect(runbook).toContain(`\n### ${alert}\n`)
  })

  test('uses only metrics and labels that the code exports', () => {
    const used = metricsIn(expr)
    expect(used.length).toBeGreaterThan(0)
    for (const { name, labels } of used) {
      const metric = exported.get(name) ?? exported.get(name.replace(/_(bucket|count|sum)$/, ''))
      expect(metric, name).toBeDefined()
      for (const label of labels) expect(metric!.labels, `${name} has the label ${label}`).toContain(label)
    }
  })
})

test('no section of the runbook is about an alert that does not exist', () => {
  const sections = [...runbook.matchAll(/^### (Upswell\w+)$/gm)].map(([, name]) => name)
  expect(sections.sort()).toEqual(rules.map(({ alert }) => alert).sort())
})

/** The metrics of an expression, each with the labels that its selector names. */
function metricsIn(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expr.matchAll(/\b((?:upswell|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name, selector = '']) => ({
      name: name!,
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!),
    }),
  )
}
