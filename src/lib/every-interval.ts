/** Calls `call` at this interval, until the returned function is called. */
export function everyInterval(intervalMs: number, call: () => void): () => void {
  const timer = setInterval(call, intervalMs)
  return () => clearInterval(timer)
}
