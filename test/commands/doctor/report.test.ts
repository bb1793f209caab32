import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import { CHECKS, notChecked, ok, problem, warning } from '../../../src/commands/doctor/finding.ts'
import { doctorJson, doctorText, exitCodeOf } from '../../../src/commands/doctor/report.ts'

const PLAIN = { color: false, width: Number.POSITIVE_INFINITY }
const FINDINGS = [
  problem('redis', 'it is away', 'one Redis', 'start it'),
  ok('node', 'v24'),
  notChecked('kafka-clock', 'nobody\nknows'),
]

test('the text has one line for each check, under headings, in one order', () => {
  expect(doctorText(FINDINGS, PLAIN).replace(/ {2,}/g, '  ')).toBe(
    [
      'Process',
      '  ok  node  v24',
      '',
      'Redis',
      '  problem  redis  it is away; accepted: one Redis; do: start it',
      '',
      'Clocks',
      '  not checked  kafka-clock  nobody knows',
      '',
      '1 ok, 0 warning, 1 problem, 1 not checked',
      '',
    ].join('\n'),
  )
})

test('only a terminal gets colours', () => {
  expect(doctorText(FINDINGS, PLAIN)).not.toContain('\u001b')
  expect(doctorText(FINDINGS, { ...PLAIN, color: true })).toContain('\u001b')
})

test('the JSON has the counts, and each finding with its heading', () => {
  expect(JSON.parse(doctorJson(FINDINGS))).toEqual({
    counts: { ok: 1, warning: 0, problem: 1, 'not checked': 1 },
    findings: [
      { heading: 'Process', check: 'node', state: 'ok', found: 'v24' },
      {
        heading: 'Redis',
        check: 'redis',
        state: 'problem',
        found: 'it is away',
        accepted: 'one Redis',
        advice: 'start it',
      },
      { heading: 'Clocks', check: 'kafka-clock', state: 'not checked', found: 'nobody\nknows' },
    ],
  })
})

test('the exit code is 1 for a problem; strict, for all that is not ok', () => {
  const warned = [warning('memory', 'x', 'y', 'z')]
  const unknown = [notChecked('kafka-clock', 'x')]
  expect([warned, unknown, FINDINGS].map(each => exitCodeOf(each, false))).toEqual([0, 0, 1])
  expect([[ok('node', 'x')], warned, unknown].map(each => exitCodeOf(each, true))).toEqual([0, 1, 1])
})

test('docs/doctor.md describes every check, under its heading', () => {
  const page = readFileSync(join(PACKAGE_ROOT, 'docs/doctor.md'), 'utf8')
  const described: Record<string, string> = {}
  let heading = ''
  for (const line of page.split('\n')) {
    heading = /^### (.*)$/.exec(line)?.[1] ?? heading
    const check = /^\| `([a-z-]+)` \|/.exec(line)?.[1]
    if (check !== undefined && heading !== '') described[check] = heading
  }
  expect(described).toEqual(CHECKS)
})
