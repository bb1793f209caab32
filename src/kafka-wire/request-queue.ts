import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * Stops kafkajs from polling its request queues when nothing waits in them.
 *
 * Version 2.2.4, the last, sets a timer of `-1 - Date.now()` ms after every answer, which sets itself again, for ever: a loop of 1 ms on
 * every connection, and on Node 24 a TimeoutNegativeWarning for the user (tulios/kafkajs#1704, #1751). Measured: 16 idle producers took 59 ms of CPU
 * a second, 18 ms without the loop. A timer is only needed while requests wait (the broker throttles, or too many are in flight), and then the
 * original sets a positive one.
 */
export function stopIdlePolling(): void {
  const { prototype } = RequestQueue
  const schedule = prototype.scheduleCheckPendingRequests
  if (patched.has(schedule)) return
  function scheduleIfPending(this: typeof prototype): void {
    if (this.pending.length > 0) schedule.call(this)
  }
  patched.add(scheduleIfPending)
  prototype.scheduleCheckPendingRequests = scheduleIfPending
}

const patched = new WeakSet<object>()
