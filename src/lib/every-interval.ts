/** Makes a call again and again until what it returns is called. */
export function everyInterval(intervalMs: number, call: () => void): () => void {
  const timer = setInterval(call, intervalMs)
  return () => clearInterval(timer)
}
