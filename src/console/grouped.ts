/** `12,345`; at most two digits after the point: `1,249.5`. */
export function grouped(amount: number): string {
  const [whole, fraction] = String(Math.round(amount * 100) / 100).split('.') as [string, string?]
  // A number so large that it is written with an exponent stays as it is.
  if (!/^\d+$/.test(whole)) return String(amount)
  const separated = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? separated : `${separated}.${fraction}`
}
