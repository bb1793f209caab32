import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { InvalidModelError } from '../../src/models/invalid-model-error.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { compileModel } from '../../src/scoring/compile-model.ts'
import { evaluateFeatures } from '../../src/scoring/evaluate-features.ts'
import { modelText, rules } from './model-text.ts'

const SHIPPED = ['models/expansion-revenue-score.yaml', 'bench/rolling-score.yaml'].map(file =>
  readFileSync(file, 'utf8'),
)

/** Whatever the text is: a model that compiles and gives a score, or a refusal with a place for each problem. */
function check(text: string): void {
  try {
    const { score } = evaluateFeatures(compileModel(parseModel(text, 'fuzz.yaml')), {})
    if (!Number.isFinite(score)) throw new Error(`the score is ${score}`)
  } catch (thrown) {
    if (!(thrown instanceof InvalidModelError)) throw thrown
    if (thrown.problems.length === 0) throw new Error('a refusal without a problem')
    for (const { line, column, message } of thrown.problems) {
      const lines = text.split('\n')
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

describe('whatever the text is, it is a model or it is refused', () => {
  const options = { numRuns: 300 }

  it('a shipped model with pieces put in, taken out and moved', { timeout: 120_000 }, () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat(30),
      insert: fc.oneof(PIECES, fc.string({ maxLength: 5 })),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...SHIPPED, modelText()),
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

  it('a shipped model with lines lost, doubled and indented otherwise', { timeout: 120_000 }, () => {
    const edit = fc.record({ at: fc.nat(), what: fc.constantFrom('lose', 'double', 'indent', 'unindent') })
    fc.assert(
      fc.property(
        fc.constantFrom(...SHIPPED, modelText()),
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

  it('pieces of CEL, in every style of scalar', { timeout: 120_000 }, () => {
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
      { numRuns: 1000 },
    )
  })

  it('JSON of any form in the place of any part', { timeout: 120_000 }, () => {
    const part = fc.constantFrom('head', 'score', 'features', 'groups', 'tiers', 'rest')
    fc.assert(
      fc.property(
        part,
        fc.constantFrom('score', 'features', 'groups', 'tiers', 'gates', 'triggers', 'id'),
        fc.jsonValue(),
        (which, key, value) => {
          check(modelText({ [which]: `${key}: ${JSON.stringify(value)}` }))
        },
      ),
      options,
    )
  })
})
