// How far nodes are from each other: round trips between the places that they stand in, and how much they vary.
//
// Between continents, and between the zones of one region: monthly averages that IBM publishes of its data centers (IBM
// Cloud Docs, VPC, "Network latency dashboards", 19 October to 17 November 2024; its two directions hardly differ, and the
// larger is taken). A local network is one switch: half a millisecond, by J. Dean's "Numbers Everyone Should Know".

/** The tables by the names that the command line knows. */
export const LATENCY_TABLES = ['lan', 'region', 'continents'] as const

/** One of these names. */
export type LatencyName = (typeof LATENCY_TABLES)[number]

/** Places, and the milliseconds there and back between each two and within one. */
export interface LatencyTable {
  readonly places: readonly string[]
  readonly roundTripMs: readonly (readonly number[])[]
}

/** Share of the way that a message takes longer on average: queues on the way. */
export const JITTER = 0.05

const TABLES: Readonly<Record<LatencyName, LatencyTable>> = {
  lan: { places: ['switch'], roundTripMs: [[0.5]] },
  region: {
    places: ['Toronto 1', 'Toronto 4', 'Toronto 5'],
    roundTripMs: [
      [0.09, 1.55, 1.77],
      [1.55, 0.09, 1.7],
      [1.77, 1.7, 0.1],
    ],
  },
  continents: {
    places: ['Washington', 'São Paulo', 'Frankfurt', 'Tokyo', 'Sydney'],
    roundTripMs: [
      [0.1, 119, 91, 168, 214],
      [119, 0.1, 198, 288, 328],
      [91, 198, 0.1, 230, 250],
      [168, 288, 230, 0.1, 115],
      [214, 328, 250, 115, 0.1],
    ],
  },
}

/** A table by its name. */
export function latencyTable(name: LatencyName): LatencyTable {
  return TABLES[name]
}

/** Milliseconds one way between the nodes of these places in the roster: they stand in the places of the table in turn. */
export function oneWayMs({ places, roundTripMs }: LatencyTable, from: number, to: number): number {
  return roundTripMs[from % places.length]![to % places.length]! / 2
}

/** The longest way of a table, in milliseconds. */
export function longestWayMs({ roundTripMs }: LatencyTable): number {
  return Math.max(...roundTripMs.flat()) / 2
}
