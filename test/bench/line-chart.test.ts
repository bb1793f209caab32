import { expect, it } from 'vitest'
import { lineChart } from '../../bench/report/line-chart.ts'

const flat = (median: number) => ({ median, least: median, most: median })

it('draws each point at its value, on a scale that begins at zero and ends on a round number', () => {
  const svg = lineChart({
    title: 'signals/s over accounts',
    xs: ['1,000', '10,000'],
    lines: [{ label: '', values: [{ median: 100, least: 50, most: 200 }, flat(0)] }],
  })
  // 250 is at the top (y 50), 0 at the bottom (y 310).
  expect(svg).toContain('>250<')
  expect(svg).toContain('<circle cx="110" cy="206" r="4"')
  expect(svg).toContain('<circle cx="670" cy="310" r="4"')
  expect(svg).toContain('<line x1="110" y1="258" x2="110" y2="102"')
})

it('names its lines only if there are several', () => {
  const line = (label: string) => ({ label, values: [flat(1)] })
  expect(lineChart({ title: '', xs: ['1'], lines: [line('Zipf'), line('even')] })).toMatch(
    /● Zipf[\s\S]*● even/,
  )
  expect(lineChart({ title: '', xs: ['1'], lines: [line('')] })).not.toContain('●')
})

it('is well-formed with any title, and with one point or none above zero', () => {
  const svg = lineChart({ title: 'a < b & c', xs: ['1'], lines: [{ label: '', values: [flat(0)] }] })
  expect(svg).toContain('a &lt; b &amp; c')
  expect(svg).not.toContain('NaN')
  const opened = [...svg.matchAll(/<([a-z]+)/g)].length
  const closed = [...svg.matchAll(/\/>|<\/[a-z]+>/g)].length
  expect(opened).toBe(closed)
})
