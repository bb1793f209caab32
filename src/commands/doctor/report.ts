import { type LineLook, renderSections, type Segment, type Style } from '../../console/styled-lines.ts'
import { plainText } from '../../console/terminal-text.ts'
import { CHECKS, type CheckId, type Finding, type State } from './finding.ts'

const STYLES: Readonly<Record<State, Style>> = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
  'not checked': 'dim',
}
const STATES = Object.keys(STYLES) as State[]
const STATE_WIDTH = Math.max(...STATES.map(state => state.length)) + 2
const CHECK_WIDTH = Math.max(...Object.keys(CHECKS).map(check => check.length)) + 2

/** One line a finding, under headings, and a last line with the counts. */
export function doctorText(findings: readonly Finding[], look: LineLook): string {
  const sections = [...new Set(Object.values(CHECKS))].map(heading => {
    const own = inOrder(findings).filter(({ check }) => CHECKS[check] === heading)
    return own.length === 0 ? [] : [[{ text: heading, style: 'bold' as const }], ...own.map(lineOf)]
  })
  return `${renderSections([...sections, [[summaryOf(findings)]]], look)}\n`
}

/** For scripts. */
export function doctorJson(findings: readonly Finding[]): string {
  const counts = Object.fromEntries(STATES.map(state => [state, count(findings, state)]))
  const listed = inOrder(findings).map(finding => ({ heading: CHECKS[finding.check], ...finding }))
  return `${JSON.stringify({ counts, findings: listed }, null, 2)}\n`
}

/** 1 if there is a problem; `strict`: a warning, or a check that was not made, counts too. */
export function exitCodeOf(findings: readonly Finding[], strict: boolean): 0 | 1 {
  return findings.some(({ state }) => state === 'problem' || (strict && state !== 'ok')) ? 1 : 0
}

function inOrder(findings: readonly Finding[]): Finding[] {
  const order = Object.keys(CHECKS) as CheckId[]
  return findings.toSorted((a, b) => order.indexOf(a.check) - order.indexOf(b.check))
}

function lineOf({ check, state, found, accepted, advice }: Finding): Segment[] {
  const details = [
    found,
    ...(accepted === undefined ? [] : [`accepted: ${accepted}`]),
    ...(advice === undefined ? [] : [`do: ${advice}`]),
  ]
  return [
    '  ',
    { text: state.padEnd(STATE_WIDTH), style: STYLES[state] },
    check.padEnd(CHECK_WIDTH),
    plainText(details.join('; ')),
  ]
}

function summaryOf(findings: readonly Finding[]): string {
  return STATES.map(state => `${count(findings, state)} ${state}`).join(', ')
}

function count(findings: readonly Finding[], state: State): number {
  return findings.filter(finding => finding.state === state).length
}
