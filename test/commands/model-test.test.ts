import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildCli, runCli, temporaryFolder } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

const WITHOUT = `id: seats
version: 2
name: Seats
score: { scale: 10, max: 100 }
features:
  users: { distinctUsers: { within: 30d } }
  health: { latest: health.score }
groups:
  usage:
    title: Usage
    weight: 1
    max: 10
    rules:
      users: { title: Users, line: { of: users, corners: [[0, 0], [4, 8]] } }
      health: { title: Health, line: { of: health, corners: [[0, 0], [100, 2]] }, missing: exclude }
tiers:
  - { name: cold, from: 0 }
  - { name: hot, from: 50 }
gates:
  healthy: { open: health >= 60, missing: open }
triggers:
  many-users: { motion: seat-expansion, when: users >= 3, cooldown: 30d, expiry: 90d, reason: x }
`
const GOOD = `${WITHOUT}examples:
  - title: Four users are hot
    given: [{ usage: feature.a, users: 4 }, { health: { score: 100 } }]
    expect: { score: 100, tier: hot, pqls: [many-users] }
  - title: Two are not
    given: [{ usage: feature.a, users: 2 }, { health: { score: 0 } }]
    expect: { score: 40, tier: cold, pqls: [] }
`

describe('upswell model test', { timeout: 60_000 }, () => {
  test('finds every example of the shipped models as expected', async () => {
    const { code, stdout, stderr } = await runCli(main, ['model', 'test'], { cwd: '/' })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/expansion-revenue-score\.yaml:\d+: ✓ /)
    expect(stdout).toMatch(/\n\n\d+ examples: all as expected\n$/)
  })

  test('shows what is not as expected, and how much each rule gave: 1', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'good.yaml'), GOOD)
    const bad = GOOD.replace('id: seats', 'id: other')
      .replace('score: 40, tier: cold, pqls: []', 'score: 41, features: { users: 3 }, pqls: [many-users]')
      .replace('{ health: { score: 0 } }', '{ health: { score: 50 } }')
    await writeFile(join(folder, 'other.yaml'), bad)
    const args = ['model', 'test', 'good.yaml', 'other.yaml']
    const { code, stdout, stderr } = await runCli(main, args, { cwd: folder })
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toBe(
      [
        'good.yaml:24: ✓ Four users are hot',
        'good.yaml:27: ✓ Two are not',
        'other.yaml:24: ✓ Four users are hot',
        'other.yaml:27: ✗ Two are not',
        '    score: expected 41, found 50',
        '    features.users: expected 3, found 2',
        '    pqls: expected many-users, found none',
        '    many-users: users >= 3 (users 2)',
        '      held back by the gate healthy: health >= 60 (health 50)',
        '    a score of 50, tier hot, coverage 1:',
        '      Usage: 5 of 10 points, each worth 10',
        '        Users       +40   4 of 8 points (users 2)',
        '        Health      +10   1 of 2 points (health 50)',
        '',
        '4 examples: 3 as expected, 1 not',
        '',
      ].join('\n'),
    )
    const json = await runCli(main, [...args, '--json'], { cwd: folder })
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      passed: 3,
      failed: 1,
      models: [
        {
          file: 'good.yaml',
          modelId: 'seats',
          modelVersion: 2,
          examples: [{ passed: true }, { passed: true }],
        },
        {
          modelId: 'other',
          examples: [
            { line: 24, passed: true, mismatches: [] },
            {
              title: 'Two are not',
              line: 27,
              accountId: 'example',
              at: '2026-06-30T12:00:00.000Z',
              passed: false,
              mismatches: [
                { what: 'score', expected: 41, found: 50 },
                { what: 'features.users' },
                { what: 'pqls' },
              ],
              found: {
                score: 50,
                tier: 'hot',
                coverage: 1,
                groups: { usage: 5 },
                pqls: [],
                held: [],
                alerts: [],
              },
            },
          ],
        },
      ],
    })
  })

  test('says that a model has no examples', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'seats.yaml'), WITHOUT)
    const { code, stdout } = await runCli(main, ['model', 'test', 'seats.yaml'], { cwd: folder })
    expect([code, stdout]).toEqual([
      0,
      'seats.yaml: seats has no examples; write some under "examples"\n\nno examples: nothing was tested\n',
    ])
  })

  test('prints every problem of an invalid model, and runs nothing: 2', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'good.yaml'), GOOD)
    const bad = GOOD.replace('id: seats', 'id: other').replace('tier: cold', 'tier: cool')
    await writeFile(join(folder, 'other.yaml'), bad)
    const { code, stdout, stderr } = await runCli(main, ['model', 'test', '.'], { cwd: folder })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^other\.yaml:29:\d+: .*cool.*cold/)
  })
})
