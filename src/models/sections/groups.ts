import type {
  Band,
  Case,
  GroupDefinition,
  LinearPoints,
  MissingPolicy,
  RuleDefinition,
} from '../../scoring/definition/model-definition.ts'
import {
  checkNames,
  malformedEntries,
  namesIn,
  titleOf,
  valueAt,
  wellFormedEntries,
  wellFormedValue,
} from '../blocks.ts'
import { checkExpressionsIn, readCondition } from '../expressions/read-expression.ts'
import { checkNumberFeature, type Scope } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type {
  RawBand,
  RawCase,
  RawEach,
  RawGroup,
  RawLinearPoints,
  RawPoints,
  RawRule,
} from '../raw-model.ts'
import { describePath, type Path } from '../yaml/path.ts'

const PATH = ['groups']

/** Reads the groups of a file with their rules. The rules of a malformed group are checked too. */
export function readGroups(block: unknown, scope: Scope, report: Report): GroupDefinition[] {
  checkNames(block, PATH, report)
  const seen = new Map<string, Path>()
  return namesIn(block).map(name =>
    readGroup(name, valueAt(block, name), [...PATH, name], scope, report, seen),
  )
}

function readGroup(
  name: string,
  raw: unknown,
  path: Path,
  scope: Scope,
  report: Report,
  seen: Map<string, Path>,
): GroupDefinition {
  const rulesPath = [...path, 'rules']
  const rawRules = valueAt(raw, 'rules')
  checkNames(rawRules, rulesPath, report)
  for (const rule of namesIn(rawRules)) checkUnique(rule, [...rulesPath, rule], seen, report)
  const rules: RuleDefinition[] = []
  for (const [rule, rawRule] of wellFormedEntries<RawRule>(rawRules, rulesPath, report)) {
    const definition = readRule(rule, rawRule, [...rulesPath, rule], scope, report)
    if (definition !== undefined) rules.push(definition)
  }
  for (const [rule, rawRule] of malformedEntries(rawRules, rulesPath, report)) {
    checkExpressionsIn(rawRule, [...rulesPath, rule], scope, report)
  }
  if (rules.length === namesIn(rawRules).length && rules.length > 0 && rules.every(rule => rule.max === 0)) {
    const message = `no rule of ${name} can give more than 0 points; a group needs one that can; add points to a rule`
    report.add(path, message, 'key')
  }
  return {
    name,
    title: wellFormedValue<RawGroup['title']>(raw, 'title', path, report) ?? titleOf(name),
    weight: wellFormedValue<RawGroup['weight']>(raw, 'weight', path, report) ?? 0,
    max: wellFormedValue<RawGroup['max']>(raw, 'max', path, report) ?? 0,
    rules,
  }
}

/** Rule names are unique in a model: people name a rule without its group. */
function checkUnique(rule: string, path: Path, seen: Map<string, Path>, report: Report): void {
  const first = seen.get(rule)
  if (first === undefined) {
    seen.set(rule, path)
    return
  }
  const message = `the rule ${rule} is also ${describePath(first)}; a rule's name is used once; choose another`
  report.add(path, message, 'key')
}

type RuleBody =
  | Pick<Extract<RuleDefinition, { type: 'line' }>, 'type' | 'line'>
  | Pick<Extract<RuleDefinition, { type: 'bands' }>, 'type' | 'of' | 'bands' | 'below'>
  | Pick<Extract<RuleDefinition, { type: 'cases' }>, 'type' | 'cases'>

/** Reads one rule of the file. Undefined if it has no definition because of a reported problem. */
function readRule(
  name: string,
  raw: RawRule,
  path: Path,
  scope: Scope,
  report: Report,
): RuleDefinition | undefined {
  const body = readBody(raw, path, scope, report)
  if (body === undefined) return undefined
  const max = maxPoints(body)
  const missing: MissingPolicy =
    raw.missing === 'exclude' ? { type: 'exclude' } : { type: 'points', points: raw.missing ?? 0 }
  if (missing.type === 'points' && missing.points > max) {
    const found = `found ${missing.points} points for a missing value, and the rule gives at most ${max}`
    report.add([...path, 'missing'], `${found}; at most that is accepted; lower one or raise the other`)
  }
  return { name, title: raw.title ?? titleOf(name), max, missing, ...body }
}

function readBody(raw: RawRule, path: Path, scope: Scope, report: Report): RuleBody | undefined {
  if (raw.line !== undefined) {
    return { type: 'line', line: readLine(raw.line, [...path, 'line'], scope, report) }
  }
  if (raw.each !== undefined) {
    const line = readEach(raw.each, [...path, 'each'], scope, report)
    return line && { type: 'line', line }
  }
  if (raw.bands !== undefined) {
    const of = raw.of!
    checkNumberFeature(of, [...path, 'of'], scope, report)
    const bands = readBands(raw.bands, [...path, 'bands'], report)
    return { type: 'bands', of, bands, below: raw.below ?? 0 }
  }
  // `when` with `points` is a single case.
  const single = raw.cases === undefined
  const rawCases = raw.cases ?? [{ when: raw.when!, points: raw.points! }]
  const cases = rawCases.map((rawCase, index) => {
    const casePath = single ? path : [...path, 'cases', index]
    if (rawCase.otherwise !== undefined && index < rawCases.length - 1) {
      report.add(
        [...casePath, 'otherwise'],
        'found otherwise before other cases; only the last case may have it; move it',
        'key',
      )
    }
    return readCase(rawCase, casePath, scope, report)
  })
  const read = cases.filter(each => each !== undefined)
  return read.length === cases.length ? { type: 'cases', cases: read } : undefined
}

function readCase(raw: RawCase, path: Path, scope: Scope, report: Report): Case | undefined {
  if (raw.otherwise !== undefined) {
    return { when: undefined, points: readPoints(raw.otherwise, [...path, 'otherwise'], scope, report) }
  }
  const when = readCondition(raw.when!, [...path, 'when'], scope, report)
  const points = readPoints(raw.points!, [...path, 'points'], scope, report)
  return when && { when, points }
}

function readPoints(raw: RawPoints, path: Path, scope: Scope, report: Report): number | LinearPoints {
  return typeof raw === 'number' ? raw : readLine(raw.line, [...path, 'line'], scope, report)
}

function readLine(raw: RawLinearPoints, path: Path, scope: Scope, report: Report): LinearPoints {
  checkNumberFeature(raw.of, [...path, 'of'], scope, report)
  raw.corners.forEach(([x], index) => {
    const before = raw.corners[index - 1]?.[0]
    if (before === undefined || x > before) return
    const message = `found ${x} after ${before}; each corner is above the one before; sort them, or use cases for a jump`
    report.add([...path, 'corners', index, 0], message)
  })
  return { of: raw.of, corners: raw.corners.map(([x, points]) => [x, points] as const) }
}

/** Points for each one, up to a maximum: a line that starts at 0. */
function readEach(raw: RawEach, path: Path, scope: Scope, report: Report): LinearPoints | undefined {
  checkNumberFeature(raw.of, [...path, 'of'], scope, report)
  const full = raw.max / raw.points
  if (full === 0 || !Number.isFinite(full)) {
    const found = `found ${raw.points} points each up to ${raw.max}, which no number can reach`
    report.add([...path, 'points'], `${found}; choose points and max that are closer to each other`)
    return undefined
  }
  return {
    of: raw.of,
    corners: [
      [0, 0],
      [full, raw.max],
    ],
  }
}

function readBands(raw: readonly RawBand[], path: Path, report: Report): Band[] {
  const bands = raw.map(
    (band): Band =>
      band.from === undefined
        ? { limit: band.above!, edge: 'above', points: band.points }
        : { limit: band.from, edge: 'from', points: band.points },
  )
  bands.forEach((band, index) => {
    const before = bands[index - 1]
    if (before === undefined || isAfter(band, before)) return
    const message = `found ${band.edge} ${band.limit} after ${before.edge} ${before.limit}; each band is above the one before; sort them`
    report.add([...path, index, band.edge], message)
  })
  return bands
}

function isAfter(band: Band, before: Band): boolean {
  if (band.limit !== before.limit) return band.limit > before.limit
  return before.edge === 'from' && band.edge === 'above'
}

/** The most points that a rule can give. A rule that only takes points counts as 0. */
function maxPoints(body: RuleBody): number {
  switch (body.type) {
    case 'line':
      return maxOf(body.line)
    case 'bands':
      return Math.max(0, body.below, ...body.bands.map(band => band.points))
    case 'cases':
      return Math.max(0, ...body.cases.map(each => maxOf(each.points)))
  }
}

function maxOf(points: number | LinearPoints): number {
  return typeof points === 'number'
    ? Math.max(0, points)
    : Math.max(0, ...points.corners.map(corner => corner[1]))
}
