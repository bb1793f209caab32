/**
 * Rules that the simulation checks only while their switch is on. Turn a new one on together with the change
 * that makes it true.
 */
export interface Switches {
  /** A signal that is sent again within 48 hours counts once, even after 1,024 others of its account. */
  readonly retriesCountOnce: boolean
  /** History that is loaded beside live signals changes no other account. */
  readonly historyChangesNoOther: boolean
  /** A process whose clock is days ahead writes no record with its time. */
  readonly clocksAreTrusted: boolean
}

export const SWITCHES: Switches = {
  retriesCountOnce: true,
  historyChangesNoOther: true,
  clocksAreTrusted: true,
}
