/**
 * The Lua scripts of the Redis store. Redis runs each as one step that nothing else comes between. All keys of a call
 * are of one partition, and so of one hash slot.
 */

/**
 * Makes `owner` the only writer of the partition.
 *
 * KEYS  1 the partition's hash
 * ARGV  1 owner
 * Result: watermark or false, state or false
 */
export const FENCE = `
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return redis.call('HMGET', KEYS[1], 'watermark', 'state')
`

/**
 * Writes a batch, if the writer owns the partition and the store stands where the writer thinks it does. The watermark comes last: should Redis break
 * off in the midst (it does not undo what a script did), the batch is folded again from the log, and the accounts know what they have seen.
 *
 * KEYS  1 the partition's hash, 2 the set of its books; 3 … 2 + n where the values go; then the sorted set, or the hash of counters, of each group
 * ARGV  1 owner, 2 the expected watermark, 3 the new one, 4 '1' if there is a state, 5 the state, 6 n, then the n values,
 *       then of each group: ZADD, ZREM or HINCRBY, how many arguments follow, those arguments (of HINCRBY: the book, then pairs of a field and
 *       what is added)
 * Result: 'saved' | 'fenced', the owner or '' | 'moved', the watermark
 *
 * The groups are cut to what Lua's unpack takes (8,000 values). SET in a loop wrote 500 values of 1.4 KB as fast as MSET of slices. A counter that would
 * leave 64 bits stays as it is: an error in the midst of the script would leave half of a batch behind. The set names the books that hold counters, no others,
 * so that a partition's counters are found without looking through all keys.
 */
export const SAVE = `
local partition, books = KEYS[1], KEYS[2]
local owner, watermark = unpack(redis.call('HMGET', partition, 'owner', 'watermark'))
if owner ~= ARGV[1] then return { 'fenced', owner or '' } end
watermark = watermark or '0'
if watermark ~= ARGV[2] then return { 'moved', watermark } end

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
 * Removes some of a partition's keys, if the caller owns it. Its owner stays; its watermark and state go at once, so that whatever breaks off a series of
 * these calls, nobody takes what is left for the state at the old watermark.
 *
 * KEYS  1 the partition's hash; 2 … what to remove, up to 1,000
 * ARGV  1 owner
 * Result: 'cleared' | 'fenced', the owner or ''
 */
export const CLEAR = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner ~= ARGV[1] then return { 'fenced', owner or '' } end
redis.call('HDEL', KEYS[1], 'watermark', 'state')
if #KEYS > 1 then redis.call('UNLINK', unpack(KEYS, 2)) end
return { 'cleared' }
`

/**
 * Finds the accounts that are due.
 *
 * KEYS  the due index's buckets
 * ARGV  1 the latest time, +inf for all
 * Result: account ids, in no order
 */
export const DUE = `
local found = {}
for _, bucket in ipairs(KEYS) do
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', bucket, '-inf', ARGV[1])) do found[#found + 1] = account end
end
return found
`

/**
 * Counts the accounts that are due.
 *
 * KEYS  the due index's buckets
 * ARGV  1 the latest time, +inf for all
 * Result: the number
 */
export const COUNT_DUE = `
local count = 0
for _, bucket in ipairs(KEYS) do count = count + redis.call('ZCOUNT', bucket, '-inf', ARGV[1]) end
return count
`
