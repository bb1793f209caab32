import { ID_LIMITS } from '../../scoring/activity/id-limits.ts'

/** What the API promises to a client that sends a signal again. Pages and schemas say the same. */
export const RETRY_PROMISE = `a signal with an id that its account has seen in the last 48 hours changes nothing, up to ${ID_LIMITS.promised.toLocaleString('en-US')} signals of an account in that time`
