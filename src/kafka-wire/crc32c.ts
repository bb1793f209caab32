/** CRC-32C (Castagnoli), as a record batch carries it. Eight bytes at a time, by tables: three times as fast as kafkajs' byte by byte. */
const POLYNOMIAL = 0x82f63b78
const LANES = 8
const TABLES = makeTables()

/** Of `bytes` from `from` up to `to`, excluded; as an unsigned number. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffffffff
  let at = from
  for (; at + LANES <= to; at += LANES) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      TABLES[1792 + (low & 255)]! ^
      TABLES[1536 + ((low >>> 8) & 255)]! ^
      TABLES[1280 + ((low >>> 16) & 255)]! ^
      TABLES[1024 + (low >>> 24)]! ^
      TABLES[768 + bytes[at + 4]!]! ^
      TABLES[512 + bytes[at + 5]!]! ^
      TABLES[256 + bytes[at + 6]!]! ^
      TABLES[bytes[at + 7]!]!
  }
  for (; at < to; at++) crc = TABLES[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** The n-th table: what a byte does to the sum n bytes further on. */
function makeTables(): Int32Array {
  const tables = new Int32Array(LANES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!
    tables[i] = (before >>> 8) ^ tables[before & 255]!
  }
  return tables
}
