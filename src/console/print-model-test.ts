import type { ExampleOutcome, Mismatch, NoticeCondition } from '../analysis/run-example.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { Contribution } from '../scoring/events.ts'
import { counted, formatAmount, formatInputs, formatSigned, formatValue, grouped } from './format.ts'
import { type Line, renderLine, type Segment } from './styled-lines.ts'
import { column, plainText, textWidth } from './terminal-text.ts'

/** A model's file, and the outcome of its examples. */
export interface TestedModel {
  readonly file: string
  readonly model: ModelDefinition
  readonly examples: readonly TestedExample[]
}

export interface TestedExample {
  readonly title: string
  /** Its line in the file, from 1. */
  readonly line: number
  readonly accountId: string
  /** The moment at which the account is checked, ms. */
  readonly at: number
  readonly outcome: ExampleOutcome
  /** Empty: the outcome is as expected. */
  readonly mismatches: readonly Mismatch[]
}

const WIDEST_TITLE = 44

// A line for each example begins with `file:line:`, which editors can open. A failed example also shows what
// was found, and which rules gave the score:
//
//   models/seats.yaml:24: ✓ Three users make it hot
//   models/seats.yaml:30: ✗ Two do not
//       score: expected 0, found 50
//       a score of 50, tier warm, coverage 1:
//         Usage: 5 of 10 points, each worth 10
//           Users      +50   5 of 10 points (users 2)
//
//   2 examples: 1 as expected, 1 not

/** No newline at the end. */
export function formatModelTest(tested: readonly TestedModel[], color: boolean): string {
  const lines: Line[] = []
  for (const { file, model, examples } of tested) {
    const name = plainText(file)
    if (examples.length === 0) {
      const advice = `${plainText(model.id)} has no examples; write some under "examples"`
      lines.push([`${name}: `, { text: advice, style: 'yellow' }])
    }
    for (const example of examples) lines.push(...exampleLines(name, model, example))
  }
  lines.push([], sumLine(tested))
  return lines.map(line => renderLine(line, { width: Number.POSITIVE_INFINITY, color })).join('\n')
}

function sumLine(tested: readonly TestedModel[]): Line {
  const examples = tested.flatMap(each => each.examples)
  if (examples.length === 0) return [{ text: 'no examples: nothing was tested', style: 'yellow' }]
  const failed = examples.filter(({ mismatches }) => mismatches.length > 0).length
  const count = `${counted(examples.length, 'example')}: `
  if (failed === 0) return [count, { text: 'all as expected', style: 'green' }]
  return [
    count,
    `${grouped(examples.length - failed)} as expected, `,
    { text: `${grouped(failed)} not`, style: 'red' },
  ]
}

function exampleLines(file: string, model: ModelDefinition, example: TestedExample): Line[] {
  const { line, title, mismatches, outcome } = example
  const place: Segment = { text: `${file}:${line}: `, style: 'dim' }
  if (mismatches.length === 0) return [[place, { text: '✓', style: 'green' }, ` ${plainText(title)}`]]
  return [
    [place, { text: '✗', style: 'red' }, { text: ` ${plainText(title)}`, style: 'bold' }],
    ...mismatches.map(mismatchLine),
    ...conditionLines(mismatches, outcome),
    ...scoreLines(model, outcome),
  ]
}

function mismatchLine({ what, expected, found }: Mismatch): Line {
  const texts = [`    ${plainText(what)}: expected ${formatValue(expected)}, found `, formatValue(found)]
  return [texts[0]!, { text: texts[1]!, style: 'red' }]
}

/** The conditions of PQLs and alerts that were found but not expected, or expected but not found. */
function conditionLines(mismatches: readonly Mismatch[], { conditions }: ExampleOutcome): Line[] {
  const concerned = new Map<string, NoticeCondition>()
  for (const { what, expected, found } of mismatches) {
    const among = what === 'alerts' ? conditions.alerts : conditions.triggers
    if (what !== 'alerts' && what !== 'pqls' && what !== 'held') continue
    const [wanted, is] = [expected as readonly string[], found as readonly string[]]
    const differing = [
      ...wanted.filter(name => !is.includes(name)),
      ...is.filter(name => !wanted.includes(name)),
    ]
    for (const name of differing) if (Object.hasOwn(among, name)) concerned.set(name, among[name]!)
  }
  return Array.from(concerned).flatMap(([name, { when, values, closedGates }]): Line[] => [
    conditionLine(`    ${plainText(name)}: ${plainText(when)}`, values),
    ...closedGates.map(gate =>
      conditionLine(
        `      held back by the gate ${plainText(gate.name)}: ${plainText(gate.when)}`,
        gate.values,
      ),
    ),
  ])
}

function conditionLine(text: string, values: NoticeCondition['values']): Line {
  return [text, { text: inBrackets(formatInputs(values)), style: 'dim' }]
}

function inBrackets(text: string): string {
  return text === '' ? '' : ` (${text})`
}

/** How much each rule gave, and from which values. */
function scoreLines(model: ModelDefinition, outcome: ExampleOutcome): Line[] {
  const { score, tier, inScope, coverage, groups, contributions } = outcome
  const scope = inScope ? '' : '; the account is out of the scope of the model'
  const lines: Line[] = [
    [
      `    a score of ${formatAmount(score)}, tier ${plainText(tier)}, coverage ${formatAmount(coverage)}${scope}:`,
    ],
  ]
  const titleOf = ({ group, rule }: Contribution): string => {
    const rules = model.groups.find(({ name }) => name === group)?.rules
    return plainText(rules?.find(({ name }) => name === rule)?.title ?? rule)
  }
  const width = Math.min(WIDEST_TITLE, Math.max(0, ...contributions.map(each => textWidth(titleOf(each)))))
  for (const group of model.groups) {
    const weight = formatAmount(model.score.scale * group.weight)
    lines.push([
      `      ${plainText(group.title)}: ${formatAmount(groups[group.name]!)} of ${formatAmount(group.max)} points, each worth ${weight}`,
    ])
    for (const each of contributions) {
      if (each.group !== group.name) continue
      const amount = column(formatSigned(each.contribution), 7, 'right')
      lines.push([
        `        ${column(titleOf(each), width)}  ${amount}   ${pointsText(each)}`,
        { text: inBrackets(formatInputs(each.inputs)), style: 'dim' },
      ])
    }
  }
  return lines
}

function pointsText({ points, max, known }: Contribution): string {
  if (points === null) return 'left out: not known'
  return `${formatAmount(points)} of ${formatAmount(max)} points${known ? '' : ': not known'}`
}
