import { CLEARING } from '../position.ts'

/**
 * The Lua scripts of the Redis store. Redis runs a script as one step: nothing else runs in between. All keys
 * of a call belong to one partition, and so to one hash slot.
 */

// Fields of a partition's hash:
//
//   owner      the fencing token
//   watermark  the position (position.ts); without the field it is 0
//   whole      the partition is whole once the stored offset has reached this
//   state      what the partition remembers as a whole

/**
 * Makes the caller the only writer of a partition.
 *
 * KEYS  1  the partition's hash
 * ARGV  1  the fencing token
 *       2  the offset from which the partition is whole
 * Result: the position or false, the state or false
 */
export const FENCE = `
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'whole', ARGV[2])
return redis.call('HMGET', KEYS[1], 'watermark', 'state')
`

/**
 * Reads accounts, and how far their partition is at the same moment. A script, because between two commands
 * the store may be emptied, or the last part of a filling may come.
 *
 * KEYS  1    the partition's hash
 *       2 …  the accounts
 * Result: the fields that PROGRESS names, then the accounts; false for what is missing
 */
export const READ_ACCOUNTS = `
local found = redis.call('HMGET', KEYS[1], 'owner', 'watermark', 'whole')
for i = 2, #KEYS do found[2 + i] = redis.call('GET', KEYS[i]) end
return found
`

/** The fields of a partition's hash that say how far it is. */
export const PROGRESS = ['owner', 'watermark', 'whole'] as const

// Writes a batch, if the caller's fencing token is the partition's and its position is the expected one.
//
// KEYS    1           the partition's hash
//         2           the set of its books
//         3 … 2 + n   where the n values go
//         then        one key for each group: a removed chunk, a sorted set, or a book's hash of counters
//
// ARGV    1           the fencing token
//         2           the expected position
//         3           the new position
//         4           '1' if there is a state
//         5           the state, or ''
//         6           n
//         7 … 6 + n   the values
//         then, for each group:
//           command   DEL, ZADD, ZREM or HINCRBY
//           count     how many arguments follow
//           …         the arguments; for DEL none; for HINCRBY the book, then pairs of field and delta
//
// Result  'saved'
//         'fenced', the fencing token in Redis or ''
//         'moved', the position in Redis
//
// - The position is written last. Redis does not undo a script that it stops halfway. The batch is then
//   folded again from the log, and the accounts ignore the signals that they have seen.
// - Groups are cut to what Lua's unpack takes (8,000 values).
// - SET in a loop wrote 500 values of 1.4 KB as fast as MSET of slices.
// - A counter that would leave 64 bits keeps its value: an error in the script would leave half a
//   batch written.
// - The set of books names exactly the books that hold counters, so finding them needs no scan of all keys.
export const SAVE = `
local partition, books = KEYS[1], KEYS[2]
local token, position = unpack(redis.call('HMGET', partition, 'owner', 'watermark'))
if token ~= ARGV[1] then return { 'fenced', token or '' } end
position = position or '0'
if position ~= ARGV[2] then return { 'moved', position } end

local values = tonumber(ARGV[6])
for i = 1, values do redis.call('SET', KEYS[2 + i], ARGV[6 + i]) end

local at = 7 + values
for key = 3 + values, #KEYS do
  local last = at + 1 + tonumber(ARGV[at + 1])
  if ARGV[at] == 'HINCRBY' then
    local book = ARGV[at + 2]
    for i = at + 3, last, 2 do
      local sum = redis.pcall('HINCRBY', KEYS[key], ARGV[i], ARGV[i + 1])
      if sum == 0 then redis.call('HDEL', KEYS[key], ARGV[i]) end
    end
    redis.call(redis.call('EXISTS', KEYS[key]) == 1 and 'SADD' or 'SREM', books, book)
  else
    redis.call(ARGV[at], KEYS[key], unpack(ARGV, at + 2, last))
  end
  at = last + 1
end

if ARGV[4] == '1' then redis.call('HSET', partition, 'state', ARGV[5]) end
redis.call('HSET', partition, 'watermark', ARGV[3])
return { 'saved' }
`

/**
 * Removes keys of a partition, but never its fencing token. The last call of a series ends the clearing.
 *
 * KEYS  1    the partition's hash
 *       2 …  up to 1,000 keys to remove
 * ARGV  1    the fencing token
 *       2    '1' in the last call: nothing is left
 * Result: 'cleared' | 'fenced', the fencing token in Redis or ''
 */
export const CLEAR = `
local token = redis.call('HGET', KEYS[1], 'owner')
if token ~= ARGV[1] then return { 'fenced', token or '' } end
redis.call('HDEL', KEYS[1], 'state')
if ARGV[2] == '1' then redis.call('HDEL', KEYS[1], 'watermark')
else redis.call('HSET', KEYS[1], 'watermark', '${CLEARING}') end
if #KEYS > 1 then redis.call('UNLINK', unpack(KEYS, 2)) end
return { 'cleared' }
`

/**
 * Finds the accounts that are due.
 *
 * KEYS  the buckets of the due index
 * ARGV  1  the earliest due time in ms, included; -inf for all
 *       2  the latest due time in ms, included; +inf for all
 * Result: account ids, in no order
 */
export const DUE = `
local found = {}
for _, bucket in ipairs(KEYS) do
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', bucket, ARGV[1], ARGV[2])) do found[#found + 1] = account end
end
return found
`

/**
 * Counts the accounts that are due.
 *
 * KEYS  the buckets of the due index
 * ARGV  1  the earliest due time in ms, included; -inf for all
 *       2  the latest due time in ms, included; +inf for all
 * Result: how many
 */
export const COUNT_DUE = `
local count = 0
for _, bucket in ipairs(KEYS) do count = count + redis.call('ZCOUNT', bucket, ARGV[1], ARGV[2]) end
return count
`
