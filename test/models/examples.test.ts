import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checkExample, runExample } from '../../src/analysis/run-example.ts'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { readExamples } from '../../src/models/examples.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import { MOTIONS } from '../../src/scoring/definition/model-definition.ts'

/** The mismatches of all examples in a model's text. */
function failuresOf(text: string, file: string): { title: string; mismatches: unknown }[] {
  const model = compileModel(parseModel(text, file))
  return readExamples(text, file)
    .map(example => ({
      title: example.title,
      mismatches: checkExample(example.expect, runExample(model, example)),
    }))
    .filter(({ mismatches }) => mismatches.length > 0)
}

describe('the shipped models', () => {
  it.each(readdirSync(join(PACKAGE_ROOT, 'models')).filter(file => file.endsWith('.yaml')))(
    '%s gives what its examples expect',
    file => {
      const text = readFileSync(join(PACKAGE_ROOT, 'models', file), 'utf8')
      expect(readExamples(text, file).length).toBeGreaterThan(1)
      expect(failuresOf(text, file)).toEqual([])
    },
  )
})

interface Model {
  readonly id?: string
  readonly features?: object
  readonly triggers?: Record<string, { readonly motion: string }>
  readonly examples?: readonly object[]
}

describe('the guide to writing models', () => {
  const page = readFileSync(join(PACKAGE_ROOT, 'docs/write-a-model.md'), 'utf8')
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, block]) => parse(block!) as Model | null)
    .filter(block => block !== null)
  const [frame, ...fragments] = blocks as [Model, ...Model[]]

  it('begins with a whole model that gives what its examples expect', () => {
    expect(frame.id).toBe('first-model')
    expect(failuresOf(JSON.stringify(frame), 'guide.yaml')).toEqual([])
  })

  it.each(fragments.map((fragment, i) => [i + 1, fragment] as const))(
    'part %i works in the frame of that model, and gives what its examples expect',
    (_, fragment) => {
      const features = { ...frame.features, ...fragment.features }
      const text = JSON.stringify({ ...frame, examples: undefined, ...fragment, features })
      expect(failuresOf(text, 'guide.yaml')).toEqual([])
    },
  )

  it('has for each motion an example that makes a PQL', () => {
    const shown = fragments.flatMap(({ triggers, examples = [] }) =>
      Object.values(triggers ?? {}).map(({ motion }) => ({ motion, examples: examples.length > 0 })),
    )
    expect(new Set(shown.map(({ motion }) => motion))).toEqual(new Set(MOTIONS))
    expect(shown.every(({ examples }) => examples)).toBe(true)
  })

  it('lists only features that exist', () => {
    const rows = [...page.matchAll(/^\| `(\{.*\})` \|/gm)].map(([, feature]) => feature!)
    expect(rows.length).toBeGreaterThan(15)
    const named =
      'seats: { latest: contract.seats }, seatUsage: { latest: traits.a }, apiUsage: { latest: traits.b }'
    const others =
      'activeUsers: { distinctUsers: { within: 1d } }, logins: { latest: traits.c }, minutes: { latest: traits.d }'
    const { features: _, examples: __, ...rest } = frame
    for (const row of rows) {
      const base =
        'activeDays: { activeDays: { of: usage, within: 30d } }, healthScore: { latest: health.score }'
      const features = parse(`{ ${base}, ${named}, ${others}, shown: ${row} }`) as object
      expect(() => parseModel(JSON.stringify({ ...rest, features }), row), row).not.toThrow()
    }
  })
})
