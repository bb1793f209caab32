import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { changesOfEmbedded, changesOfFold, readDump } from '../../bench/peer/score-dump.ts'
import { fingerprintOf, peerChange } from '../../bench/peer/tier-fingerprint.ts'

/**
 * Computed by hand. Score: floor((32 × days + 75 × names + 24 × users + 72 × intents + 12) / 24), with at
 * most 8 names, 20 users and 5 intents.
 */
const DUMP = `
  id   kind    name               account  user  occurredAt                  days names users intents  score
  a-1  intent  pricing.viewed     alpha    u1    2026-01-05T10:00:00.000Z      1    1     1     1       8
  a-2  intent  limit.reached      alpha    u2    2026-01-05T10:01:00.000Z      1    2     2     2      16
  b-1  intent  pricing.viewed     Beta     u1    2026-01-07T00:00:00.001Z      1    1     1     1       8
  a-3  intent  upgrade.clicked    alpha    u3    2026-01-05T10:02:00.000Z      1    3     3     3      23
  a-4  usage   api.called         alpha    u4    2026-01-05T10:03:00.000Z      1    4     4     3      27  potential
  b-2  intent  pricing.viewed     Beta     u1    2026-01-07T00:00:00.002Z      1    1     1     2      11
  b-3  intent  pricing.viewed     Beta     u1    2026-01-07T00:00:00.003Z      1    1     1     3      14
  a-4  usage   api.called         alpha    u4    2026-01-05T10:03:00.000Z      a copy: nothing changes
  a-5  usage   report.exported    alpha    u5    2026-01-05T10:04:00.000Z      1    5     5     3      31
  a-6  usage   search.run         alpha    u6    2026-01-05T10:05:00.000Z      1    6     6     3      35
  b-4  intent  pricing.viewed     Beta     u1    2026-01-07T00:00:00.004Z      1    1     1     4      17
  a-7  intent  pricing.viewed     alpha    u7    2026-01-06T09:00:00.000Z      2    6     7     4      40
  a-8  usage   file.uploaded      alpha    u8    2026-01-06T09:05:00.000Z      2    7     8     4      45
  b-5  intent  pricing.viewed     Beta     u1    2026-01-07T00:00:00.005Z      1    1     1     5      20
  b-6  intent  pricing.viewed     Beta     u1    2026-01-07T00:00:00.006Z      1    1     1     5      20
  a-9  usage   dashboard.viewed   alpha    u9    2026-01-06T08:30:00.000Z      2    8     9     4      49
  a-10 usage   user.invited       alpha    u10   2026-01-06T08:00:00.000Z      2    8    10     4      50  likely, out of order
  b-7  usage   api.called         Beta     u2    2026-01-07T12:00:00.000Z      1    2     2     5      25  potential
  b-8  usage   file.uploaded      Beta     u3    2025-11-20T12:00:00.000Z      1    2     2     5      25  too old for the window
  a-11 usage   api.called         alpha    u1    2026-02-08T12:00:00.000Z      1    1     1     0       5  see below
`

/**
 * The midnights pass before a-11. On 4 February the window begins on 6 January: a-7 to a-10 remain, 1 day, 4
 * names, 4 users, 1 intent: 21. On 5 February nothing remains: 0, and still the lowest tier. Capitals come
 * before small letters.
 */
const CHANGES = [
  'Beta|none|potential|25|2026-01-07T12:00:00.000Z|b-7',
  'alpha|none|potential|27|2026-01-05T10:03:00.000Z|a-4',
  'alpha|potential|likely|50|2026-01-06T08:00:00.000Z|a-10',
  'alpha|likely|none|21|2026-02-04T00:00:00.000Z|window',
]

const EXPECTED = {
  tierChanges: CHANGES.length,
  sha256: createHash('sha256')
    .update(CHANGES.map(line => `${line}\n`).join(''))
    .digest('hex'),
}

describe('the fingerprint of a dump made by hand', () => {
  it('from the fold equals a computation by hand', async () => {
    const signals = await readDump(await writtenDump())
    expect(signals).toHaveLength(20)
    const changes = changesOfFold(signals)
    expect(
      changes
        .map(({ accountId, from, to, score, at, cause }) => [accountId, from, to, score, at, cause].join('|'))
        .sort(),
    ).toEqual([...CHANGES].sort())
    expect(fingerprintOf(changes)).toEqual(EXPECTED)
  })

  it('is the same from the embedded backend', async () => {
    const signals = await readDump(await writtenDump())
    expect(fingerprintOf(await changesOfEmbedded(signals))).toEqual(EXPECTED)
  })

  it('cannot be made from a line that is not a signal', async () => {
    const file = await writtenDump('{"id":"x"}')
    await expect(readDump(file)).rejects.toThrow(/dump\.jsonl:21: kind is missing/)
  })
})

describe('a fingerprint', () => {
  const change = { accountId: 'a', from: 'none', to: 'ready', score: 80, at: '2026-01-01T00:00:00.000Z' }

  it("orders accounts by their bytes, and keeps the order of each account's changes", () => {
    const [a, b, again] = [
      { ...change, cause: 'x' },
      { ...change, accountId: 'é', cause: 'x' },
      { ...change, cause: 'y' },
    ]
    expect(fingerprintOf([b!, a!, again!])).toEqual(fingerprintOf([a!, again!, b!]))
    expect(fingerprintOf([again!, a!, b!])).not.toEqual(fingerprintOf([a!, again!, b!]))
  })

  it('refuses causes that the peer does not have', () => {
    expect(() => peerChange({ ...change, cause: { type: 'model' } }, () => '')).toThrow(/cause model/)
  })
})

async function writtenDump(...more: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'upswell-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const lines = DUMP.trim()
    .split('\n')
    .slice(1)
    .map(line => {
      const [id, kind, name, accountId, user, occurredAt] = line.trim().split(/ +/)
      return JSON.stringify({
        id,
        kind,
        name,
        accountId,
        userId: `${accountId}-${user}`,
        quantity: 1,
        occurredAt,
      })
    })
  const file = join(directory, 'dump.jsonl')
  await writeFile(file, [...lines, ...more].map(line => `${line}\n`).join(''))
  return file
}
