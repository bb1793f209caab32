import { AggregatorRegistry, Registry } from 'prom-client'

/** The metrics of one score thread, as plain data. */
export type ThreadMetrics = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

type MetricJson = ThreadMetrics[number]

/** The metrics of one process: its own, added to the metrics of its score threads. */
export class ProcessRegistry extends Registry {
  readonly #threads = new Map<string, ThreadMetrics>()

  /** The thread's metrics as they are now. */
  setThread(name: string, metrics: ThreadMetrics): void {
    this.#threads.set(name, metrics)
  }

  override async metrics(): Promise<string> {
    if (this.#threads.size === 0) return await super.metrics()
    const shared = this.#sharedNames()
    // prom-client would leave out the start of the process when it adds up registries.
    const own = this.getMetricsAsArray().filter(({ name }) => !shared.has(name))
    const texts = await Promise.all(own.map(({ name }) => this.getSingleMetricAsString(name)))
    const added = AggregatorRegistry.aggregate([
      await this.#ownValues(shared),
      ...this.#threads.values(),
    ] as object[])
    return `${texts.join('\n\n')}\n\n${await added.metrics()}`
  }

  /** All values of a gauge, one for each set of labels. */
  async values(name: string): Promise<number[]> {
    const own = await this.#ownValues(new Set([name]))
    const found = [own, ...this.#threads.values()].flatMap(metrics => metrics.filter(m => m.name === name))
    return found.flatMap(({ values }) => values.map(({ value }) => value))
  }

  #sharedNames(): Set<string> {
    return new Set([...this.#threads.values()].flatMap(metrics => metrics.map(({ name }) => name)))
  }

  async #ownValues(names: ReadonlySet<string>): Promise<MetricJson[]> {
    const own = this.getMetricsAsArray().filter(({ name }) => names.has(name))
    return (await Promise.all(own.map(({ name }) => this.getSingleMetric(name)!.get()))) as MetricJson[]
  }
}
