/**
 * How a level moves over an account's history: corners (progress from 0 to 1, ascending; value) with straight
 * lines between.
 */
export type Course = readonly (readonly [progress: number, value: number])[]

export function steady(value: number): Course {
  return [[0, value]]
}

export function levelAt(course: Course, progress: number): number {
  const next = course.findIndex(([corner]) => corner > progress)
  if (next === 0) return course[0]![1]
  if (next === -1) return course.at(-1)![1]
  const [from, low] = course[next - 1]!
  const [to, high] = course[next]!
  return low + ((high - low) * (progress - from)) / (to - from)
}
