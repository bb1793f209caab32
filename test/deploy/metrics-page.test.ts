import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { exportedMetrics } from './exported-metrics.ts'

const page = readFileSync(join(PACKAGE_ROOT, 'docs/metrics.md'), 'utf8')

test('the page of the metrics lists each that the code exports, with its type, labels and help, and no other', async () => {
  const exported = (await exportedMetrics()).filter(({ name }) => name.startsWith('upswell_'))
  const rows = exported.map(({ name, type, labels, help }) => {
    const named = labels.map(label => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${named === '' ? 'none' : named} | ${help} |`
  })
  expect(
    page
      .split('\n')
      .filter(line => line.startsWith('| `upswell_'))
      .sort(),
  ).toEqual(rows.sort())
})

test('each metric follows the conventions of Prometheus: base units, and _total for counters alone', async () => {
  const exported = (await exportedMetrics()).filter(({ name }) => name.startsWith('upswell_'))
  expect(exported.length).toBeGreaterThan(30)
  for (const { name, type, help } of exported) {
    expect(name.endsWith('_total'), name).toBe(type === 'counter')
    expect(name, name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/)
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/)
    expect(help, name).not.toMatch(/\.$/)
  }
})
