/** How a level moves while an account is watched: corners of progress (0 to 1, ascending) and value, straight lines between them. */
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
