/** The largest signal. Its `id` and `accountId` are also keys of the store. */
export const SIGNAL_LIMITS = {
  /**
   * Bytes of the record's value. Encoded again, it must still fit into a topic that takes 1 MiB, the default.
   */
  bytes: 1_000_000,
  idLength: 512,
  nameLength: 200,
  accountIdBytes: 512,
  userIdLength: 512,
  properties: 200,
  propertyNameLength: 200,
  textLength: 1000,
  depth: 8,
  /**
   * 10¹² units: amounts in rupiah are large. A sum is exact up to nine times as much, and is cut there
   * (`addCapped`).
   */
  quantity: 1e12,
  /** A smaller one, except 0, would be rounded to 0 thousandths. */
  smallestQuantity: 0.0005,
} as const

/** How far `occurredAt` may be ahead of the moment at which the system receives the signal: clocks differ. */
export const MAX_AHEAD_MS = 10 * 60_000
