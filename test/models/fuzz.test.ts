import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { readExamples } from '../../src/models/examples.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { InvalidModelError } from '../../src/models/problems.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import { evaluateFeatures } from '../../src/scoring/evaluate-features.ts'
import { FULL } from './full-model.ts'
import { modelText, rules, SHIPPED_MODELS } from './model-text.ts'

const SHIPPED = [
  ...SHIPPED_MODELS.map(file => readFileSync(join(PACKAGE_ROOT, file), 'utf8')),
  modelText(),
  FULL,
]

/** Checks that a text compiles and gives a score, or is refused with a position for each problem. */
function check(text: string): void {
  refuseOr(text, () => {
    const { score } = evaluateFeatures(compileModel(parseModel(text, 'fuzz.yaml')), {})
    if (!Number.isFinite(score)) throw new Error(`the score is ${score}`)
    checkExamples(text)
  })
}

/** Checks the examples of a text: signals ascend in time, and none is after the example's moment. */
function checkExamples(text: string): void {
  refuseOr(text, () => {
    for (const { signals, at } of readExamples(text, 'fuzz.yaml')) {
      let before = 0
      for (const { occurredAt } of signals) {
        if (occurredAt < before || occurredAt > at) throw new Error(`${occurredAt} is out of order`)
        before = occurredAt
      }
    }
  })
}

function refuseOr(text: string, read: () => void): void {
  try {
    read()
  } catch (thrown) {
    if (!(thrown instanceof InvalidModelError)) throw thrown
    if (thrown.problems.length === 0) throw new Error('a refusal without a problem')
    const lines = text.split('\n')
    for (const { line, column, message } of thrown.problems) {
      const isInside =
        line >= 1 && line <= lines.length && column >= 1 && column <= lines[line - 1]!.length + 1
      if (!isInside || message === '') throw new Error(`${line}:${column} is not in the text`)
    }
  }
}

const PIECES = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    '? ',
    '&a ',
    '*a',
    '!x ',
    '!!int ',
    '|',
    '>',
    '"',
    "'",
    '#',
    ' #',
    '\n',
    '\n  ',
    '\t',
    ',',
    '%',
    '---\n',
  ],
  ...[
    'null',
    'true',
    '.inf',
    '.nan',
    '-0',
    '0',
    '-1',
    '1e999',
    '99999999999999999999',
    '0x1F',
    '~',
    '<<: ',
    '__proto__',
    'constructor',
  ],
  ...[
    'features',
    'groups',
    'rules',
    'cases',
    'otherwise',
    'when',
    'points',
    'line',
    'corners',
    'of',
    'ratio',
    'largest',
    'score',
    'tier',
  ],
  ...[
    '30d',
    '48h',
    '0d',
    '999d',
    'usage',
    'exclude',
    'seats',
    'users > 1',
    '\u0000',
    '\uFEFF',
    '\u2028',
    '😀',
    '\ud800',
    '\r\n',
  ],
)
/** Keys of the language, with values that may or may not fit them. */
const WORDS = fc.constantFrom(
  ...(
    'halfLife except powerUsers days daysSustained periodsSustained per every above from to knownKeys default formula ' +
    'each points max facets accounts include exclude ids when queue offer confidence value alerts frequency recipients ' +
    'template priority assignee action rates by values kpis csm measures metrics property where over pqls fixed unit ' +
    'target examples given expect daysAgo times users held coverage title at account quantity properties traits health'
  ).split(' '),
  ...[
    '5-3',
    '0-29',
    '1e-320',
    'until',
    'seen',
    'created',
    'ratio',
    '"> 3"',
    'traits.x',
    'traits.*',
    '2026-02-30',
    'null',
    '400d',
  ],
)
const CEL_PIECES = fc.constantFrom(
  ...[
    'users',
    'seats',
    'plan',
    'trial',
    'score',
    'nobody',
    'known(',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '.',
    ',',
    ':',
    '?',
    '!',
    '-',
  ],
  ...[
    ' && ',
    ' || ',
    ' == ',
    ' != ',
    ' < ',
    ' >= ',
    ' in ',
    ' + ',
    ' - ',
    ' * ',
    ' / ',
    ' % ',
    '=',
    '&',
    '|',
    ' ',
    '\n',
    '//',
    '\\',
  ],
  ...[
    '1',
    '0',
    '1.5',
    '1e9',
    '9007199254740993',
    '3u',
    '0x',
    '"a"',
    "'a",
    'b"a"',
    'r"a"',
    '"""',
    'null',
    'true',
    'has(',
    '.all(x, ',
    'x',
    '\u00a0',
  ],
)

const PLACES = ['@feature', '@confidence', '@accounts', '@metric', '@alert']

/** The full model with one of its expressions replaced. */
function fill(place: string, cel: string): string {
  return FULL.replace(new RegExp(`"[^"]*" # ${place}`), () => `${cel} # ${place}`)
}

describe('any text is a model or is refused', () => {
  it('the unchanged texts, with all placeholders filled, are models', () => {
    for (const text of SHIPPED) parseModel(text, 'fuzz.yaml')
    for (const place of PLACES) {
      expect(() => parseModel(fill(place, '"nobody"'), 'fuzz.yaml')).toThrow('"nobody" is not')
    }
  })

  const options = { numRuns: 90 }

  it('a shipped model with pieces inserted, removed and moved', { timeout: 120_000 }, () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat(30),
      insert: fc.oneof(PIECES, WORDS, fc.string({ maxLength: 5 })),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...SHIPPED),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (text, edits) => {
          let edited = text
          for (const { at, remove, insert } of edits) {
            const from = at % (edited.length + 1)
            edited = edited.slice(0, from) + insert + edited.slice(from + remove)
          }
          check(edited)
        },
      ),
      options,
    )
  })

  it('a shipped model with lines lost, doubled and indented differently', { timeout: 120_000 }, () => {
    const edit = fc.record({ at: fc.nat(), what: fc.constantFrom('lose', 'double', 'indent', 'unindent') })
    fc.assert(
      fc.property(
        fc.constantFrom(...SHIPPED),
        fc.array(edit, { minLength: 1, maxLength: 5 }),
        (text, edits) => {
          const lines = text.split('\n')
          for (const { at, what } of edits) {
            const index = at % lines.length
            const line = lines[index] ?? ''
            const changed = {
              lose: [],
              double: [line, line],
              indent: [`  ${line}`],
              unindent: [line.replace(/^ {2}/, '')],
            }
            lines.splice(index, 1, ...changed[what])
          }
          check(lines.join('\n'))
        },
      ),
      options,
    )
  })

  it('pieces of YAML', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.array(PIECES, { maxLength: 60 }), pieces => check(pieces.join(''))),
      options,
    )
  })

  it('pieces of CEL in every style of YAML scalar', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.array(CEL_PIECES, { maxLength: 25 }), fc.nat(2), (pieces, style) => {
        const cel = pieces.join('')
        const scalars = [
          JSON.stringify(cel),
          `'${cel.replaceAll("'", "''")}'`,
          `|\n          ${cel.replaceAll('\n', '\n          ')}`,
        ]
        check(modelText(rules('a:', '  points: 1', `  when: ${scalars[style]}`)))
      }),
      { numRuns: 300 },
    )
  })

  it('pieces of CEL in formulas of features, triggers, accounts and metrics', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.array(CEL_PIECES, { maxLength: 12 }), fc.constantFrom(...PLACES), (pieces, place) => {
        const cel = JSON.stringify(pieces.join(''))
        check(fill(place, cel))
      }),
      { numRuns: 100 },
    )
  })

  it('a full model with one word in the place of another', { timeout: 120_000 }, () => {
    const words = [...FULL.matchAll(/[\w.*-]+/g)]
    const word = fc.oneof(WORDS, fc.constantFrom(...words.map(([text]) => text)))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(words.length - 1), word), { minLength: 1, maxLength: 2 }),
        changes => {
          let text = FULL
          for (const [index, replacement] of changes.sort(([a], [b]) => b - a)) {
            const { 0: old, index: at } = words[index]!
            text = text.slice(0, at) + replacement + text.slice(at + old.length)
          }
          check(text)
        },
      ),
      { numRuns: 120 },
    )
  })

  it('any JSON as an example', { timeout: 120_000 }, () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('0-3', '3-0', '2026-01-01', 'low', 3),
    )
    const given = fc.record(
      {
        usage: fc.constantFrom('a', 'feature.x'),
        traits: fc.dictionary(fc.constantFrom('plan', 'constructor', 'a b'), value),
        daysAgo: fc.oneof(
          fc.double({ noNaN: true }),
          fc.constantFrom('0-29', '7-7', '9-1', '999-999'),
          value,
        ),
        times: fc.oneof(fc.integer({ min: 0, max: 1001 }), value),
        users: fc.oneof(fc.integer({ min: 0, max: 20 }), value),
        user: fc.oneof(fc.string(), value),
        quantity: fc.oneof(fc.double(), value),
        properties: value,
      },
      { requiredKeys: [] },
    )
    const example = fc.record(
      {
        title: fc.oneof(fc.constant('T'), value),
        at: fc.oneof(
          fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
          value,
        ),
        account: fc.oneof(fc.string(), value),
        given: fc.oneof(fc.array(given, { minLength: 1, maxLength: 3 }), value),
        expect: fc.oneof(fc.constant({ score: 3 }), value),
      },
      { requiredKeys: ['title', 'given', 'expect'] },
    )
    fc.assert(
      fc.property(fc.array(example, { maxLength: 3 }), examples => {
        checkExamples(modelText({ rest: `examples: ${JSON.stringify(examples)}` }))
      }),
      options,
    )
  })

  it('any JSON in the place of any part', { timeout: 120_000 }, () => {
    const part = fc.constantFrom('head', 'score', 'features', 'groups', 'tiers', 'rest')
    fc.assert(
      fc.property(
        part,
        fc.constantFrom(
          ...'score features groups tiers gates triggers id alerts accounts facets rates kpis examples'.split(
            ' ',
          ),
        ),
        fc.jsonValue(),
        (which, key, value) => {
          check(modelText({ [which]: `${key}: ${JSON.stringify(value)}` }))
        },
      ),
      options,
    )
  })
})
